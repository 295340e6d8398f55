"""Schedulers that are killed between claim and acknowledgement: nothing is lost, nothing is twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from clocks import Simulated, at
from scheduler_process import Schedulers, schedulers
from sqlalchemy import delete, func, select

from fusillade.storage.database import Database
from fusillade.storage.models import Schedule, Usage, Webhook, WebhookDelivery

NIGHT = at("2026-02-06T02:00Z")
ONCE = "0 0 2 6 2 * 2026"


@pytest.fixture
async def mortal(module_database_url: str) -> AsyncIterator[Schedulers]:
    """Schedulers that can be killed, on the same database."""
    async with schedulers(module_database_url) as started:
        yield started


async def organisation(store: Database) -> Simulated:
    """One with a webhook, and without anybody else's schedules."""
    async with store.session() as session:
        await session.execute(delete(Schedule))
    simulated = await Simulated.new(store, NIGHT - timedelta(hours=1), max_workers=5)
    async with store.session() as session:
        session.add(
            Webhook(
                organisation_id=simulated.user.organisation_id,
                url="https://receiver.example.com",
                events=["test.scheduled", "test.failed"],
                secret="whsec_0",
            )
        )
    return simulated


async def told(simulated: Simulated) -> list[str]:
    """The events in the outbox of the organisation."""
    mine = WebhookDelivery.organisation_id == simulated.user.organisation_id
    async with simulated.store.session() as session:
        payloads = await session.scalars(select(WebhookDelivery.payload).where(mine))
        return [json.loads(payload)["event"] for payload in payloads]


async def survive(simulated: Simulated, schedule: Schedule) -> None:
    """Let another scheduler do what is left. PostgreSQL may take a moment to notice a death."""
    for _ in range(500):
        await simulated.look(simulated.scheduler(), at=NIGHT + timedelta(seconds=1))
        firings = await simulated.firings(schedule)
        if firings and all(one.settled_at is not None for one in firings):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("something is left")


async def test_killed_at_any_step_a_schedule_makes_its_test_once(
    store: Database, mortal: Schedulers
) -> None:
    simulated = await organisation(store)
    await simulated.schedule(ONCE)
    steps = (await mortal.run(NIGHT)).steps
    commits = sum(1 for step in steps if step.startswith("before commit"))
    assert commits >= 4
    assert len(steps) == 2 * commits + 2
    for step in steps:
        simulated = await organisation(store)
        schedule = await simulated.schedule(ONCE)
        life = await mortal.run(NIGHT, step)
        assert (life.was_killed, life.steps) == (True, steps[: steps.index(step) + 1])
        await survive(simulated, schedule)
        (firing,) = await simulated.firings(schedule)
        (test,) = await simulated.tests()
        assert (firing.fire_time, firing.status, firing.test_id) == (NIGHT, "fired", test.id), step
        assert {*life.launched, *simulated.launched} == {test.id}, step
        assert await told(simulated) == ["test.scheduled"], step
        assert await reservations(simulated) == 1, step
        assert (await simulated.stored(schedule)).next_run_at is None


async def test_killed_at_any_step_a_refusal_counts_and_is_told_once(
    store: Database, mortal: Schedulers
) -> None:
    simulated = await organisation(store)
    await simulated.schedule(ONCE, workers=6, refusals=2)
    steps = (await mortal.run(NIGHT)).steps
    assert len(steps) >= 6
    for step in steps:
        simulated = await organisation(store)
        schedule = await simulated.schedule(ONCE, workers=6, refusals=2)
        assert (await mortal.run(NIGHT, step)).was_killed
        await survive(simulated, schedule)
        (firing,) = await simulated.firings(schedule)
        assert (firing.status, firing.code) == ("refused", "worker_limit_exceeded")
        assert (await simulated.stored(schedule)).refusals == 3
        assert await told(simulated) == ["test.failed"], step
        assert await simulated.tests() == []


async def reservations(simulated: Simulated) -> int:
    mine = Usage.organisation_id == simulated.user.organisation_id
    async with simulated.store.session() as session:
        return int(await session.scalar(select(func.count()).where(mine)) or 0)
