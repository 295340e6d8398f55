"""Schedules that fire, on a whole platform."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from client import Client
from platforms import Platform
from target import Target


def fired(user: Client, schedule: Any) -> list[Any]:
    """The firings of a schedule that have made a test, oldest first."""
    firings = user.get(f"/api/v1/schedules/{schedule['id']}")["firings"]
    return [firing for firing in reversed(firings) if firing["status"] == "fired"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_schedule_makes_tests_that_run_also_after_the_scheduler_was_killed(
    platform: Platform, user: Client, target: Target
) -> None:
    body = {
        "name": "Often",
        "script_content": f"export default function () {{ http.get('{target.url}/health'); }}",
        "workers": 1,
        "duration_seconds": 1,
        "cron_expression": "*/5 * * * * * *",
    }
    schedule = user.post("/api/v1/schedules", body=body)
    path = f"/api/v1/schedules/{schedule['id']}"
    until(lambda: len(fired(user, schedule)) == 1)
    (process,) = platform.processes("SchedulerActor")
    process.kill()
    before = len(fired(user, schedule))
    until(lambda: len(fired(user, schedule)) > before)
    (other,) = platform.processes("SchedulerActor")
    assert other.pid != process.pid
    user.post(f"{path}/pause")
    until(lambda: all(one["status"] != "pending" for one in user.get(path)["firings"]))

    times = [datetime.fromisoformat(one["fire_time"]) for one in user.get(path)["firings"]]
    assert times == [times[0] - number * timedelta(seconds=5) for number in range(len(times))]
    made = [firing["test_id"] for firing in fired(user, schedule)]
    ended = [user.until(test_id, "completed", "failed") for test_id in made]
    assert [(test["status"], test["name"]) for test in ended] == [("completed", "Often")] * len(
        made
    )
    assert (
        sum(test["summary"]["total_requests"] for test in ended) == target.counted()["GET /health"]
    )
    listed = user.get("/api/v1/tests?search=Often&limit=100")["tests"]
    assert sorted(test["id"] for test in listed) == sorted(made)
    assert user.get("/health/deep")["scheduler"]["status"] == "ok"
    user.call("DELETE", path)
