"""The outbox: what is put there, when, and for whom."""

from outboxes import move, new_test, organisation, told, webhook

from fusillade.storage import tests
from fusillade.storage.database import Database
from fusillade.webhooks import outbox

SUMMARY = {
    "p95_latency_ms": 42.5,
    "error_rate": 0.001,
    "thresholds": [
        {"metric": "http_req_duration", "expression": "p95 < 50", "value": 42.5, "ok": True}
    ],
}


async def test_a_run_tells_each_step_in_order(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner)
    test_id = await new_test(store, owner, name="Größe 测试")
    await move(store, test_id, "ready", "pending", "running")
    await move(store, test_id, "completed", summary=SUMMARY)
    messages = await told(store, hook)
    assert [event for event, _ in messages] == ["test.ready", "test.started", "test.completed"]
    common = {
        "test_id": str(test_id),
        "name": "Größe 测试",
        "workers": 2,
        "duration_seconds": 5,
        "target_urls": ["https://api.example.com"],
    }
    nothing_yet = {"p95_latency_ms": None, "error_rate": None, "threshold_results": None}
    result = {
        "p95_latency_ms": 42.5,
        "error_rate": 0.001,
        "threshold_results": SUMMARY["thresholds"],
    }
    assert [data for _, data in messages] == [
        common | {"status": "ready"} | nothing_yet,
        common | {"status": "running"} | nothing_yet,
        common | {"status": "completed"} | result,
    ]


async def test_a_failure_tells_its_reason(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner)
    await move(store, await new_test(store, owner), "failed", reason="No machine.")
    ((event, data),) = await told(store, hook)
    assert (event, data["status"], data["reason"]) == ("test.failed", "failed", "No machine.")


async def test_a_test_that_is_cancelled_or_stopped_tells_no_end(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner, events=["test.completed", "test.failed"])
    await move(store, await new_test(store, owner), "cancelled")
    await move(store, await new_test(store, owner), "ready", "pending", "running", "stopped")
    assert await told(store, hook) == []


async def test_a_change_that_is_rolled_back_tells_nothing(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner)
    test_id = await new_test(store, owner)
    async with store.session() as session:
        await tests.transition(session, test_id, "ready")
        await session.rollback()
    assert await told(store, hook) == []


async def test_only_webhooks_that_want_an_event_are_told(store: Database) -> None:
    owner, stranger = await organisation(store), await organisation(store)
    first, second = await webhook(store, owner), await webhook(store, owner)
    foreign = await webhook(store, stranger)
    other_events = await webhook(store, owner, events=["test.failed"])
    switched_off = await webhook(store, owner, active=False)
    await move(store, await new_test(store, owner), "ready")
    for hook, count in (
        (first, 1),
        (second, 1),
        (foreign, 0),
        (other_events, 0),
        (switched_off, 0),
    ):
        assert len(await told(store, hook)) == count


async def test_an_event_needs_no_test(store: Database) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner)
    async with store.session() as session:
        await outbox.emit(session, owner, "test.scheduled", {"name": "Nightly"})
    assert await told(store, hook) == [("test.scheduled", {"name": "Nightly"})]
