"""How a platform stands, for dashboards."""

from datetime import UTC, datetime, timedelta

from outboxes import new_test, organisation, webhook

from fusillade.storage import standing, tests
from fusillade.storage.database import Database
from fusillade.storage.standing import EndedTests, Waiting

A_WHILE = timedelta(seconds=40)


async def test_live_tests_are_counted_by_status(store: Database) -> None:
    owner = await organisation(store)
    made = [await new_test(store, owner) for _ in range(3)]
    async with store.session() as session:
        await tests.transition(session, made[0], "ready")
        await tests.transition(session, made[1], "cancelled")
    async with store.session() as session:
        live = await standing.live_tests(session)
    assert live == {"provisioning": 1, "ready": 1, "pending": 0, "running": 0}


async def test_a_test_that_has_ended_is_counted_once_and_none_of_before(store: Database) -> None:
    owner = await organisation(store)
    before, later, last = [await new_test(store, owner) for _ in range(3)]
    async with store.session() as session:
        await tests.transition(session, before, "failed")
    ended = EndedTests(datetime.now(UTC))
    for test_id, status in ((later, "cancelled"), (last, "failed")):
        for _ in range(2):
            async with store.session() as session:
                await ended.look(session, datetime.now(UTC))
        async with store.session() as session:
            await tests.transition(session, test_id, status)
    for _ in range(2):
        async with store.session() as session:
            await ended.look(session, datetime.now(UTC))
    assert ended.counts == {"completed": 0, "failed": 1, "cancelled": 1, "stopped": 0}


async def test_the_outbox_tells_its_backlog_and_for_how_long_the_oldest_is_due(
    store: Database,
) -> None:
    owner = await organisation(store)
    async with store.session() as session:
        assert await standing.webhooks(session, datetime.now(UTC)) == Waiting(0, 0.0)
    await webhook(store, owner)
    for _ in range(2):
        test_id = await new_test(store, owner)
        async with store.session() as session:
            await tests.transition(session, test_id, "ready")
    async with store.session() as session:
        waiting = await standing.webhooks(session, datetime.now(UTC) + A_WHILE)
    assert waiting.count == 2
    assert A_WHILE.total_seconds() <= waiting.oldest_seconds
    async with store.session() as session:
        waiting = await standing.webhooks(session, datetime.now(UTC) - A_WHILE)
    assert waiting == Waiting(2, 0.0)
