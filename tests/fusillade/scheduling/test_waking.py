"""When a scheduler that runs by itself looks, and what it does while the database is away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy
from clocks import DAY, NIGHT, NIGHTLY, Simulated, running, until

from fusillade.scheduling import scheduler as scheduling
from fusillade.storage import schedules
from fusillade.storage.database import Database


@pytest.fixture
async def now(store: Database) -> Simulated:
    """Schedules by the real clock."""
    return await Simulated.new(store, datetime.now(UTC))


async def test_a_schedule_that_is_made_while_the_scheduler_sleeps_wakes_it(now: Simulated) -> None:
    scheduler = now.scheduler(clock=lambda: datetime.now(UTC))
    async with running(scheduler, now):
        await until(lambda: scheduler.looked_at is not None)
        assert scheduler.next_time is None
        now.now = datetime.now(UTC)
        await now.schedule("* * * * * * *")
        await until(lambda: len(now.launched) >= 2)


async def test_a_call_that_was_lost_is_made_up_for_by_the_next_look(
    now: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> None:
        pass

    monkeypatch.setattr(schedules.notices, "tell", lost)
    monkeypatch.setattr(scheduling, "LOOK_SECONDS", 0.1)
    scheduler = now.scheduler(clock=lambda: datetime.now(UTC))
    async with running(scheduler, now):
        await until(lambda: scheduler.looked_at is not None)
        now.now = datetime.now(UTC)
        await now.schedule("* * * * * * *")
        await until(lambda: len(now.launched) >= 1)


async def test_between_firings_it_asks_the_database_nothing(
    simulated: Simulated, store: Database
) -> None:
    for _ in range(3):
        await simulated.schedule(NIGHTLY)
    asked = Counter[str]()
    engine = store._engine.sync_engine
    scheduler = simulated.scheduler()
    async with running(scheduler, simulated):
        await until(lambda: scheduler.looked_at is not None)
        await asyncio.sleep(0.2)
        sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *a: asked.update(["asked"]))
        await asyncio.sleep(1.0)
    assert not asked


@pytest.fixture
async def closable(store: Database, postgres_url: str) -> AsyncIterator[Any]:
    """Closes the database to everybody, and opens it again."""
    name = store._engine.url.database
    outside = Database(postgres_url, pool_size=1)

    async def execute(*statements: str) -> None:
        async with outside._engine.connect() as connection:
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                await connection.execute(sqlalchemy.text(statement))

    async def close() -> None:
        await execute(
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )

    async def open_() -> None:
        await execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    yield close, open_
    await open_()
    await outside.dispose()


async def test_while_the_database_is_away_it_waits_and_then_goes_on(
    simulated: Simulated, closable: Any
) -> None:
    close, open_ = closable
    before = await simulated.schedule(NIGHTLY, name="Before")
    scheduler = simulated.scheduler()

    async def launch(test_id: UUID) -> None:
        simulated.launched.append(test_id)
        if len(simulated.launched) == 1:
            await close()  # so that this firing cannot be settled

    scheduler = simulated.scheduler(launch=launch)
    async with running(scheduler, simulated):
        await until(lambda: scheduler.looked_at is not None)
        simulated.now = NIGHT
        scheduler.wake()
        await until(lambda: len(simulated.launched) == 1)
        simulated.now = NIGHT + DAY
        scheduler.wake()
        await asyncio.sleep(1.5)
        assert len(simulated.launched) == 1
        await open_()
        await until(lambda: len(set(simulated.launched)) == 2)
        await until(lambda: scheduler.under_way == 0)
    fired = await simulated.firings(before)
    assert [(one.fire_time, one.status) for one in fired] == [
        (NIGHT, "fired"),
        (NIGHT + DAY, "fired"),
    ]
    assert all(one.settled_at is not None for one in fired)
    assert len(await simulated.tests()) == 2


async def test_a_launch_that_fails_is_tried_again(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_RETRY_SECONDS", 0.05)
    schedule = await simulated.schedule(NIGHTLY)
    attempts: list[UUID] = []

    async def launch(test_id: UUID) -> None:
        attempts.append(test_id)
        if len(attempts) < 3:
            raise TimeoutError

    scheduler = simulated.scheduler(launch=launch)
    simulated.now = NIGHT
    async with running(scheduler, simulated):
        await until(lambda: len(attempts) == 3)
        await until(lambda: scheduler.under_way == 0)
    (one,) = await simulated.firings(schedule)
    assert (one.status, one.settled_at) == ("fired", NIGHT)
    assert len(set(attempts)) == len(await simulated.tests()) == 1
