"""The scheduler on a real database: what it fires, when, and what becomes of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from clocks import DAY, EVENING, LOADED, NIGHT, NIGHTLY, Simulated, running, until
from sqlalchemy import select, update

from fusillade.errors import InvalidScript
from fusillade.hosting.messages import Loaded
from fusillade.hosting.validator import Validator
from fusillade.scheduling import scheduler as scheduling
from fusillade.storage import firings, schedules
from fusillade.storage.database import Database
from fusillade.storage.models import Schedule, Webhook, WebhookDelivery


async def deliveries(store: Database) -> list[Any]:
    """What webhooks are to be told, oldest first: event and data."""
    async with store.session() as session:
        rows = await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.position))
        return [(row.event, json.loads(row.payload)["data"]) for row in rows]


async def subscribe(simulated: Simulated) -> None:
    """A webhook for what a scheduler tells."""
    async with simulated.store.session() as session:
        session.add(
            Webhook(
                organisation_id=simulated.user.organisation_id,
                url="https://receiver.example.com",
                events=["test.scheduled", "test.failed"],
                secret="whsec_0",
            )
        )


async def test_a_schedule_makes_a_test_at_each_of_its_times_and_starts_it(
    simulated: Simulated,
) -> None:
    schedule = await simulated.schedule(NIGHTLY, workers=7, duration_seconds=30)
    scheduler = simulated.scheduler()
    for moment in (EVENING, NIGHT - timedelta(seconds=1), NIGHT, NIGHT, NIGHT + DAY):
        await simulated.look(scheduler, at=moment)
    made = await simulated.tests()
    assert [(test.name, test.workers, test.start_when_ready) for test in made] == [
        ("Nightly", 7, True)
    ] * 2
    assert simulated.launched == [test.id for test in made]
    assert simulated.validated == []  # it was checked when it was stored
    fired = await simulated.firings(schedule)
    assert [(one.fire_time, one.status, one.test_id) for one in fired] == [
        (NIGHT, "fired", made[0].id),
        (NIGHT + DAY, "fired", made[1].id),
    ]
    stored = await simulated.stored(schedule)
    assert (stored.last_test_id, stored.next_run_at) == (made[1].id, NIGHT + 2 * DAY)


async def test_webhooks_are_told_of_each_test_that_a_schedule_makes(simulated: Simulated) -> None:
    await subscribe(simulated)
    schedule = await simulated.schedule(NIGHTLY)
    await simulated.look(simulated.scheduler(), at=NIGHT)
    (test,) = await simulated.tests()
    ((event, data),) = await deliveries(simulated.store)
    assert event == "test.scheduled"
    assert data["test_id"] == str(test.id)
    assert (data["status"], data["schedule_id"]) == ("provisioning", str(schedule.id))


async def test_after_downtime_the_last_time_within_the_grace_is_made_up_for(
    simulated: Simulated,
) -> None:
    schedule = await simulated.schedule("0 */2 * * * * *")
    await simulated.look(simulated.scheduler(), at=EVENING + timedelta(minutes=10, seconds=59))
    found = await simulated.firings(schedule)
    assert [one.status for one in found] == ["missed"] * 4 + ["fired"]
    assert [" s late, " in (one.message or "") for one in found] == [True] * 2 + [False] * 3
    assert len(await simulated.tests()) == 1


async def test_what_is_older_than_the_grace_is_missed(simulated: Simulated) -> None:
    schedule = await simulated.schedule(NIGHTLY)
    await simulated.look(simulated.scheduler(), at=NIGHT + timedelta(seconds=301))
    (missed,) = await simulated.firings(schedule)
    assert (missed.status, missed.test_id) == ("missed", None)
    assert "301 s late, and makes up for no more than 300 s" in (missed.message or "")
    assert await simulated.tests() == []
    assert (await simulated.stored(schedule)).next_run_at == NIGHT + DAY


@pytest.mark.parametrize(("late", "status"), [(300, "fired"), (301, "missed")])
async def test_what_a_dead_scheduler_has_claimed_is_fired_only_within_the_grace(
    simulated: Simulated, late: int, status: str
) -> None:
    schedule = await simulated.schedule(NIGHTLY)
    async with simulated.store.session() as session:
        claimed = await firings.claim(session, NIGHT, timedelta(seconds=300), 10)
    assert claimed.pending == [(schedule.id, NIGHT)]
    await simulated.look(simulated.scheduler(), at=NIGHT + timedelta(seconds=late))
    (one,) = await simulated.firings(schedule)
    assert one.status == status
    assert len(await simulated.tests()) == (status == "fired")


async def test_no_schedule_holds_up_another(simulated: Simulated) -> None:
    checking, launching = asyncio.Event(), asyncio.Event()
    slow = await simulated.schedule(NIGHTLY, name="Slow", checked=None)
    stuck = await simulated.schedule(NIGHTLY, name="Stuck")
    others = [await simulated.schedule(NIGHTLY) for _ in range(20)]

    async def validate(*_: Any) -> Loaded:
        await checking.wait()
        return LOADED

    async def launch(test_id: UUID) -> None:
        test = next(test for test in await simulated.tests() if test.id == test_id)
        if test.name == "Stuck":
            await launching.wait()

    scheduler = simulated.scheduler(validate=validate, launch=launch)
    simulated.now = NIGHT
    await scheduler.look()
    await until(lambda: scheduler.under_way == 2)
    for schedule in others:
        assert [one.status for one in await simulated.firings(schedule)] == ["fired"]
    checking.set()
    launching.set()
    await scheduler.idle()
    for schedule in (slow, stuck):
        (one,) = await simulated.firings(schedule)
        assert (one.status, one.settled_at) == ("fired", NIGHT)


async def test_more_schedules_than_one_claim_takes_all_fire_together(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_MOST_CLAIMED", 4)
    for _ in range(10):
        await simulated.schedule(NIGHTLY)
    await simulated.look(simulated.scheduler(), at=NIGHT)
    assert len(await simulated.tests()) == 10


async def test_more_firings_than_it_handles_at_once_follow_each_other(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_MOST_UNDER_WAY", 3)
    for _ in range(10):
        await simulated.schedule(NIGHTLY)
    simulated.now = NIGHT
    scheduler = simulated.scheduler()
    async with running(scheduler, simulated):
        await until(lambda: len(simulated.launched) == 10)
    assert len(await simulated.tests()) == 10


async def test_schedulers_by_mistake_fire_each_time_once(simulated: Simulated) -> None:
    mine = [await simulated.schedule("* * * * * * *") for _ in range(5)]
    for second in range(1, 4):
        simulated.now = EVENING + timedelta(seconds=second)
        # Each finds on its first look what others have begun.
        several = [simulated.scheduler() for _ in range(3)]
        await asyncio.gather(*(scheduler.look() for scheduler in several))
        await asyncio.gather(*(scheduler.look() for scheduler in several))
        await asyncio.gather(*(scheduler.idle() for scheduler in several))
    assert len(await simulated.tests()) == 15
    for schedule in mine:
        fired = await simulated.firings(schedule)
        assert [one.fire_time for one in fired] == [
            EVENING + timedelta(seconds=second) for second in range(1, 4)
        ]
        assert len({one.test_id for one in fired}) == 3


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "fields", "code"),
    [
        ({"max_workers": 5}, {"workers": 6}, "worker_limit_exceeded"),
        ({"max_duration_seconds": 5}, {"duration_seconds": 6}, "duration_limit_exceeded"),
        ({"regions": ["eu-hel1"]}, {"region": "us-east-1"}, "region_restricted"),
        ({"max_script_bytes": 10}, {}, "script_too_large"),
        ({"blocked_domains": ["example.com"]}, {}, "domain_blocked"),
        ({"plans": {"self-hosted": {"monthly_minutes": 1}}}, {"duration_seconds": 61}, "quota_exceeded"),
    ],
)  # fmt: skip
async def test_a_schedule_obeys_what_a_creation_obeys(
    store: Database, settings: Any, fields: Any, code: str
) -> None:
    simulated = await Simulated.new(store, EVENING, **settings)
    schedule = await simulated.schedule(NIGHTLY, **fields)
    await simulated.look(simulated.scheduler(), at=NIGHT)
    (refused,) = await simulated.firings(schedule)
    assert (refused.status, refused.code, refused.test_id) == ("refused", code, None)
    stored = await simulated.stored(schedule)
    assert (stored.refusals, stored.refusal_code) == (1, code)
    assert stored.refusal_message == refused.message
    assert (stored.active, stored.next_run_at) == (True, NIGHT + DAY)
    assert await simulated.tests() == []
    assert simulated.launched == []


async def test_after_three_refusals_in_a_row_the_owner_is_told_once(store: Database) -> None:
    simulated = await Simulated.new(store, EVENING, max_workers=5)
    await subscribe(simulated)
    schedule = await simulated.schedule(NIGHTLY, workers=6)
    scheduler = simulated.scheduler()
    for night in range(5):
        assert len(await deliveries(store)) == (night >= 3)
        await simulated.look(scheduler, at=NIGHT + night * DAY)
    assert (await simulated.stored(schedule)).refusals == 5
    ((event, data),) = await deliveries(store)
    assert (event, data["test_id"], data["status"]) == ("test.failed", None, "failed")
    assert (data["code"], data["schedule_id"]) == ("worker_limit_exceeded", str(schedule.id))
    assert data["reason"].startswith("The schedule was refused 3 times in a row: Worker limit")

    await change(store, schedule, workers=5)
    await simulated.look(scheduler, at=NIGHT + 5 * DAY)
    stored = await simulated.stored(schedule)
    assert (stored.refusals, stored.refusal_code, stored.refusal_message) == (0, None, None)


async def change(store: Database, schedule: Schedule, **values: Any) -> None:
    async with store.session() as session:
        await session.execute(update(Schedule).where(Schedule.id == schedule.id).values(**values))


async def test_a_script_is_checked_again_when_what_was_kept_is_of_another(
    simulated: Simulated, store: Database
) -> None:
    good = await simulated.schedule(NIGHTLY, checked={"of": "another", "loaded": {}})
    bad = await simulated.schedule(NIGHTLY, checked=None, script_content="export default 7;")
    scheduler = simulated.scheduler(validate=Validator(2, 10.0).validate)
    await simulated.look(scheduler, at=NIGHT)
    assert [one.status for one in await simulated.firings(good)] == ["fired"]
    (refused,) = await simulated.firings(bad)
    assert (refused.status, refused.code) == ("refused", "invalid_script")
    assert "script.js" in (refused.message or "")
    (test,) = await simulated.tests()
    assert test.target_urls == ["https://api.example.com"]

    async def validate(*_: Any) -> Loaded:
        raise InvalidScript("not asked again")

    await change(store, bad, next_run_at=None)
    await simulated.look(simulated.scheduler(validate=validate), at=NIGHT + DAY)
    assert [one.status for one in await simulated.firings(good)] == ["fired", "fired"]


async def test_an_error_of_the_platform_is_on_the_firing_and_holds_up_no_other(
    simulated: Simulated,
) -> None:
    broken = await simulated.schedule(NIGHTLY, checked=None)
    well = await simulated.schedule(NIGHTLY)

    async def validate(*_: Any) -> Loaded:
        raise KeyError("secret")

    await simulated.look(simulated.scheduler(validate=validate), at=NIGHT)
    (refused,) = await simulated.firings(broken)
    assert (refused.status, refused.code) == ("refused", "internal_error")
    assert refused.message == "The platform made an error; its log has the details."
    assert [one.status for one in await simulated.firings(well)] == ["fired"]


async def test_times_that_can_no_longer_be_read_are_told_and_hold_up_no_other(
    simulated: Simulated, store: Database
) -> None:
    unread = await simulated.schedule(NIGHTLY)
    well = await simulated.schedule(NIGHTLY)
    await change(store, unread, timezone="Mars/Phobos")
    await simulated.look(simulated.scheduler(), at=NIGHT)
    (refused,) = await simulated.firings(unread)
    assert (refused.status, refused.code) == ("refused", "validation_error")
    assert "there is no time zone" in (refused.message or "")
    assert [one.status for one in await simulated.firings(well)] == ["fired"]


# ---- what others do meanwhile ------------------------------------------------------------------


async def test_a_schedule_that_is_deleted_while_it_fires_leaves_nothing(
    simulated: Simulated, store: Database
) -> None:
    schedule = await simulated.schedule(NIGHTLY, checked=None)

    async def validate(*_: Any) -> Loaded:
        async with store.session() as session:
            await schedules.delete(session, schedule.id, schedule.organisation_id)
        return LOADED

    await simulated.look(simulated.scheduler(validate=validate), at=NIGHT)
    assert await simulated.tests() == []
    assert simulated.launched == []


async def test_a_paused_schedule_does_not_fire_and_goes_on_with_the_next_time(
    simulated: Simulated, store: Database
) -> None:
    schedule = await simulated.schedule(NIGHTLY)
    scheduler = simulated.scheduler()
    mine = (schedule.id, schedule.organisation_id)
    async with store.session() as session:
        await schedules.pause(session, *mine, EVENING)
    await simulated.look(scheduler, at=NIGHT)
    async with store.session() as session:
        await schedules.resume(session, *mine, NIGHT + timedelta(hours=1))
    await simulated.look(scheduler, at=NIGHT + timedelta(hours=1))
    assert await simulated.firings(schedule) == []
    await simulated.look(scheduler, at=NIGHT + DAY)
    assert [one.fire_time for one in await simulated.firings(schedule)] == [NIGHT + DAY]


async def test_a_time_that_was_fired_is_not_fired_again_when_the_clock_goes_back(
    simulated: Simulated, store: Database
) -> None:
    schedule = await simulated.schedule(NIGHTLY)
    scheduler = simulated.scheduler()
    await simulated.look(scheduler, at=NIGHT)
    await change(store, schedule, next_run_at=NIGHT)
    await simulated.look(scheduler, at=NIGHT)
    assert len(await simulated.firings(schedule)) == len(await simulated.tests()) == 1


async def test_what_became_of_firings_is_forgotten_after_its_days(store: Database) -> None:
    simulated = await Simulated.new(store, EVENING, schedule_history_days=3)
    schedule = await simulated.schedule(NIGHTLY)
    scheduler = simulated.scheduler()
    for night in range(6):
        await simulated.look(scheduler, at=NIGHT + night * DAY)
    assert [one.fire_time for one in await simulated.firings(schedule)] == [
        NIGHT + night * DAY for night in range(2, 6)
    ]
