"""How schedules stand, for dashboards."""

from datetime import datetime, timedelta

from clocks import DAY, NIGHT, NIGHTLY, Simulated

from fusillade.storage import firings, standing
from fusillade.storage.standing import Waiting

A_WHILE = timedelta(seconds=40)


async def test_schedules_tell_what_is_due_since_when_and_what_became_of_it(
    simulated: Simulated,
) -> None:
    await simulated.schedule(NIGHTLY)
    assert await due(simulated, NIGHT - A_WHILE) == Waiting(0, 0.0)
    assert await due(simulated, NIGHT + A_WHILE) == Waiting(1, 40.0)
    async with simulated.store.session() as session:
        await firings.claim(session, NIGHT, timedelta(seconds=300), 10)
    assert await due(simulated, NIGHT + A_WHILE) == Waiting(1, 40.0)
    scheduler = simulated.scheduler()
    await simulated.look(scheduler, at=NIGHT + A_WHILE)
    assert await due(simulated, NIGHT + A_WHILE) == Waiting(0, 0.0)
    await simulated.look(scheduler, at=NIGHT + DAY + timedelta(hours=1))
    assert scheduler.counts == {"fired": 1, "refused": 0, "missed": 1}


async def due(simulated: Simulated, now: datetime) -> Waiting:
    async with simulated.store.session() as session:
        return await standing.schedules(session, now)
