"""Whole runs through the REST API: right numbers, and what happens when something dies."""

import contextlib
import time

import pytest
from client import Client
from platforms import WORKERS_PER_ACTOR, Platform
from target import Target

TWO_ACTORS = WORKERS_PER_ACTOR + 5


@pytest.mark.parametrize(
    ("workers", "pause", "duration"), [(1, 1, 3), (TWO_ACTORS, 0.1, 3), (TWO_ACTORS, 0, 4)]
)
def test_the_summary_agrees_with_the_target_exactly(
    user: Client, target: Target, workers: int, pause: float, duration: int
) -> None:
    script = f"""
      export default function () {{
        const res = http.get('{target.url}/bytes/50');
        check(res, {{ 'is 200': (r) => r.status === 200 }});
        http.post('{target.url}/status/202', 'body');
        if ({pause}) sleep({pause});
      }}"""
    test = user.run(script, workers=workers, duration=duration)
    assert (test["status"], test["reason"]) == ("completed", None)
    counted, summary = target.counted(), test["summary"]
    assert summary["total_requests"] == counted["requests"] > 0
    assert summary["status_codes"] == {
        "200": counted["status 200"],
        "202": counted["status 202"],
    }
    assert summary["data_sent_bytes"] == counted["bytes_received"]
    assert summary["data_received_bytes"] == counted["bytes_sent"]
    (check,) = summary["checks"]
    assert (check["passes"], check["fails"]) == (counted["status 200"], 0)
    assert sum(point["requests"] for point in test["series"]) == counted["requests"]
    assert test["metrics"]["total_requests"] == counted["requests"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("export default function () { while (true) {} }", "did not give control back"),
        (
            "export default function () { const a = []; for (;;) a.push(new Array(1e6).fill(1)); }",
            "memory",
        ),
        (
            "export function setup() { throw new Error('no users'); } export default () => {};",
            "setup() threw Error: no users (test.js:1:",
        ),
        (
            "export default () => { sleep(1); }; export function teardown() { null.x; }",
            "teardown() threw TypeError",
        ),
    ],
)
def test_a_bad_script_fails_with_its_reason_and_the_next_test_runs(
    user: Client, script: str, words: str
) -> None:
    failed = user.run(script, duration=30 if "for" in script or "while" in script else 1)
    assert failed["status"] == "failed"
    assert words in failed["reason"]
    assert user.run("export default () => { sleep(0.1); }")["status"] == "completed"


def start(user: Client, script: str, **fields: int) -> str:
    """A test that is running."""
    test_id = str(user.create(script, **fields)["test_id"])
    assert user.post(f"/api/v1/tests/{test_id}/start")["status"] == "pending"
    user.until(test_id, "running")
    time.sleep(1.5)
    return test_id


def pinging(target: Target) -> str:
    return f"export default function () {{ http.get('{target.url}/'); sleep(0.05); }}"


def test_a_killed_script_host_fails_the_test_with_what_was_measured(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = start(user, pinging(target), workers=TWO_ACTORS, duration=20)
    platform.processes("fusillade.engine.host")[0].kill()
    test = user.until(test_id, "failed", "completed")
    assert test["status"] == "failed"
    assert "SIGKILL" in test["reason"]
    assert 0 < test["summary"]["total_requests"] <= target.counted()["requests"]
    assert user.get("/health").status == 200
    assert user.run(pinging(target))["status"] == "completed"


@pytest.mark.parametrize("process", ["ray::TestRunActor", "ray::MetricsAggregator"])
def test_a_killed_owner_or_aggregator_changes_nothing(
    platform: Platform, user: Client, target: Target, process: str
) -> None:
    test_id = start(user, pinging(target), workers=TWO_ACTORS, duration=6)
    for victim in platform.processes(process):
        victim.kill()
    assert user.get("/health").status == 200
    test = user.until(test_id, "failed", "completed")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert test["summary"]["total_requests"] == target.counted()["requests"]
    seconds = [point["second"] for point in test["series"]]
    assert seconds == list(range(len(seconds)))


def test_a_killed_api_process_is_replaced_and_the_test_goes_on(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = start(user, pinging(target), workers=2, duration=5)
    for victim in platform.processes("ServeReplica"):
        victim.kill()
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError, ValueError):
            if user.get(f"/api/v1/tests/{test_id}").status == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    test = user.until(test_id, "failed", "completed")
    assert test["status"] == "completed"
    assert test["summary"]["total_requests"] == target.counted()["requests"]


def test_a_stopped_test_keeps_what_it_measured(user: Client, target: Target) -> None:
    test_id = start(user, pinging(target), workers=3, duration=60)
    stopped = user.post(f"/api/v1/tests/{test_id}/stop")
    assert stopped["status"] == "stopped"
    test = user.get(f"/api/v1/tests/{test_id}").body
    assert test["summary"]["total_requests"] == target.counted()["requests"] > 0


def test_nothing_of_an_ended_test_stays_in_the_cluster(platform: Platform, user: Client) -> None:
    user.run("export default () => { sleep(0.1); }")
    deadline = time.monotonic() + 30
    words = ("ray::TestRunActor", "ray::WorkerActor", "ray::MetricsAggregator", "engine.host")
    while left := [word for word in words if platform.processes(word)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def test_a_region_without_machines_waits_in_provisioning(user: Client) -> None:
    created = user.create("export default () => {};", "", region="us-east-1")
    time.sleep(2)
    test_id = created["test_id"]
    assert user.get(f"/api/v1/tests/{test_id}")["status"] == "provisioning"
    assert user.post(f"/api/v1/tests/{test_id}/stop")["status"] == "cancelled"


def test_thresholds_are_judged_over_all_workers_and_may_end_the_test(
    user: Client, target: Target
) -> None:
    script = f"""
      export const options = {{ thresholds: {{
        http_req_failed: ['rate < 0.5', {{ threshold: 'rate < 0.1', abortOnFail: true, delayAbortEval: '2s' }}],
        'http_reqs{{name:mine}}': ['count > 5'] }} }};
      export default function () {{
        http.get('{target.url}/status/200', {{ name: 'mine' }});
        if (__ITER % 3 === 0) http.get('{target.url}/status/500');
        sleep(0.05); }}"""
    test = user.run(script, workers=TWO_ACTORS, duration=30)
    assert test["status"] == "failed"
    assert test["reason"].startswith("The threshold http_req_failed: rate < 0.1 was crossed (rate")
    verdicts = [(one["metric"], one["expression"], one["ok"]) for one in test["thresholds"]]
    assert verdicts == [
        ("http_req_failed", "rate < 0.5", True),
        ("http_req_failed", "rate < 0.1", False),
        ("http_reqs{name:mine}", "count > 5", True),
    ]
    # The end cuts off what is on its way: each worker may have one request that nobody measured.
    cut_off = target.counted()["requests"] - test["summary"]["total_requests"]
    assert 0 <= cut_off <= TWO_ACTORS
    assert test["summary"]["duration_seconds"] < 15
