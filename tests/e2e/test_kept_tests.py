"""Templates and schedules, on a whole platform."""

from client import Client
from target import Target


def test_a_template_is_run_and_a_schedule_triggered(user: Client, target: Target) -> None:
    body = {
        "name": "Kept",
        "script_content": f"export default function () {{ http.get('{target.url}/health'); }}",
        "workers": 1,
        "duration_seconds": 60,
    }
    template = user.post("/api/v1/templates", body=body)
    overrides = {"duration_seconds": 1}
    run = user.post(f"/api/v1/templates/{template['id']}/run", body=overrides)
    assert (run.status, run["status"]) == (201, "provisioning")
    user.until(run["test_id"], "ready")
    user.post(f"/api/v1/tests/{run['test_id']}/start")
    test = user.until(run["test_id"], "completed", "failed")
    assert (test["status"], test["name"], test["duration_seconds"]) == ("completed", "Kept", 1)
    first = target.counted()["GET /health"]
    assert test["summary"]["total_requests"] == first > 0

    nightly = body | {"duration_seconds": 1, "cron_expression": "0 0 2 * * * *"}
    schedule = user.post("/api/v1/schedules", body=nightly)
    triggered = user.post(f"/api/v1/schedules/{schedule['id']}/trigger")
    assert (triggered.status, triggered["status"]) == (201, "provisioning")
    # Nobody starts it.
    test = user.until(triggered["test_id"], "completed", "failed")
    assert test["status"] == "completed"
    assert test["summary"]["total_requests"] == target.counted()["GET /health"] - first > 0
