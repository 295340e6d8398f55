"""Crossed thresholds: webhooks are told of each once for each run."""

import asyncio

from outboxes import move, new_test, organisation, told, webhook

from fusillade.metrics.summary import ThresholdResult
from fusillade.storage import breaches
from fusillade.storage.breaches import Breaches
from fusillade.storage.database import Database

SLOW = ThresholdResult("http_req_duration", "p95 < 50", 61.5, False)
WRONG = ThresholdResult("checks", "rate > 0.9", 0.5, False)


async def test_each_threshold_is_told_once_however_often_it_is_noted(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner, events=["test.threshold_breached"])
    test_id = await new_test(store, owner)
    await move(store, test_id, "ready", "pending", "running")

    async def note(*results: ThresholdResult) -> None:
        async with store.session() as session:
            await breaches.record(session, test_id, Breaches(list(results), 61.5, 0.25))

    await asyncio.gather(*(note(SLOW) for _ in range(4)))
    await note(SLOW, WRONG)
    await note(WRONG)
    messages = await told(store, hook)
    assert [data["threshold_results"] for _, data in messages] == [
        [{"metric": "http_req_duration", "expression": "p95 < 50", "value": 61.5, "ok": False}],
        [{"metric": "checks", "expression": "rate > 0.9", "value": 0.5, "ok": False}],
    ]
    assert {
        (data["status"], data["p95_latency_ms"], data["error_rate"]) for _, data in messages
    } == {("running", 61.5, 0.25)}


async def test_a_run_that_has_ended_tells_of_no_threshold_afterwards(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner)
    test_id = await new_test(store, owner)
    await move(store, test_id, "ready", "pending", "running", "completed")
    before = await told(store, hook)
    async with store.session() as session:
        await breaches.record(session, test_id, Breaches([SLOW], 1.0, 0.0))
    assert await told(store, hook) == before


def test_a_summary_says_what_was_crossed() -> None:
    holds = {"metric": "vus", "expression": "max < 5", "value": None, "ok": True}
    crossed = {"metric": "checks", "expression": "rate > 0.9", "value": 0.5, "ok": False}
    summary = {"thresholds": [holds, crossed], "p95_latency_ms": 3.5, "error_rate": 0.0}
    assert Breaches.of_summary(summary) == Breaches([WRONG], 3.5, 0.0)
