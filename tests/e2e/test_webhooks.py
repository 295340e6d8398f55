"""Webhooks of a whole platform: a receiver is told of what tests do, whatever is killed."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from client import Client
from platforms import Platform
from receivers import Receiver, running_receiver
from target import Target

EVENTS = [
    "test.completed",
    "test.failed",
    "test.started",
    "test.ready",
    "test.threshold_breached",
    "test.scheduled",
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as started:
        yield started


@pytest.fixture
def webhook(user: Client, receiver: Receiver) -> Iterator[Any]:
    """One that leads to the receiver and wants all events."""
    made = user.post("/api/v1/webhooks", body={"url": receiver.url(), "events": EVENTS}).body
    yield made
    user.call("DELETE", f"/api/v1/webhooks/{made['id']}")


def of(receiver: Receiver, test_id: str) -> list[str]:
    """What the receiver was told of a test, in this order."""
    return [one.event for one in receiver.requests if one.data["test_id"] == test_id]


def kill(platform: Platform, actor: str) -> None:
    """``kill -9``, whichever test they belong to."""
    for process in platform.processes(actor):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def test_a_receiver_is_told_each_step_of_a_scheduled_test_whatever_is_killed(
    platform: Platform, user: Client, target: Target, receiver: Receiver, webhook: Any
) -> None:
    script = f"""
      export const options = {{ thresholds: {{ http_reqs: ['count < 1', 'count > 1'] }} }};
      export default function () {{ http.get('{target.url}/health'); sleep(0.1); }}"""
    body = {
        "name": "Watched",
        "script_content": script,
        "workers": 1,
        "duration_seconds": 4,
        "cron_expression": "0 0 0 1 Jan * 2099",
    }
    kill(platform, "WebhookDispatcher")
    schedule = user.post("/api/v1/schedules", body=body)
    test_id = user.post(f"/api/v1/schedules/{schedule['id']}/trigger")["test_id"]
    receiver.wait(lambda _: "test.threshold_breached" in of(receiver, test_id))
    # Who comes after it notices the same again.
    kill(platform, "MetricsAggregator")
    test = user.until(test_id, "completed", "failed")
    receiver.wait(lambda _: "test.completed" in of(receiver, test_id))
    assert of(receiver, test_id) == [
        "test.scheduled",
        "test.ready",
        "test.started",
        "test.threshold_breached",
        "test.completed",
    ]
    told = {one.event: one.data for one in receiver.requests}
    (crossed,) = told["test.threshold_breached"]["threshold_results"]
    assert (crossed["expression"], crossed["ok"]) == ("count < 1", False)
    assert told["test.threshold_breached"]["status"] == "running"
    for name in ("p95_latency_ms", "error_rate"):
        assert told["test.completed"][name] == test["summary"][name]
    assert told["test.completed"]["threshold_results"] == test["summary"]["thresholds"]
    assert all(one.signed_by(webhook["secret"]) == [0] for one in receiver.requests)
    user.call("DELETE", f"/api/v1/schedules/{schedule['id']}")

    listed = deliveries(user, webhook)
    assert [one["status"] for one in listed] == ["delivered"] * 5
    assert {one.delivery_id for one in receiver.requests} == {one["id"] for one in listed}
    answers = {(one["response_status"], one["response_body"], one["attempts"]) for one in listed}
    assert answers == {(200, "thanks", 1)}


def deliveries(user: Client, webhook: Any) -> list[Any]:
    """All of a webhook, once nothing is to be sent any more."""
    deadline = time.monotonic() + 30
    while True:
        listed = user.get(f"/api/v1/webhooks/{webhook['id']}/deliveries")["deliveries"]
        if all(one["status"] != "pending" for one in listed):
            return list(listed)
        assert time.monotonic() < deadline, listed
        time.sleep(0.1)


def test_a_failure_and_a_test_delivery_arrive(
    user: Client, receiver: Receiver, webhook: Any
) -> None:
    sent = user.post(f"/api/v1/webhooks/{webhook['id']}/test")
    receiver.wait(lambda _: len(receiver.requests) == 1)
    assert receiver.requests[0].delivery_id == sent["id"]
    script = "export function setup() { throw new Error('no users'); } export default () => {};"
    test = user.run(script)
    receiver.wait(lambda _: "test.failed" in receiver.events())
    failed = receiver.requests[-1].data
    assert (failed["test_id"], failed["status"]) == (test["id"], "failed")
    assert failed["reason"] == test["reason"]
    assert "no users" in failed["reason"]
