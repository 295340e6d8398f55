"""Schedules: tests that are created and started at certain times, and when that is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import cron
from fusillade.creation import Plan
from fusillade.errors import InvalidState, ValidationFailed
from fusillade.storage import notices, pages
from fusillade.storage.allowance import add_within
from fusillade.storage.models import Schedule
from fusillade.storage.ownership import owned
from fusillade.storage.pages import Page

CHANNEL = "fusillade_schedules"
"""PostgreSQL notifies whoever listens here that the times of a schedule are others than before."""

OF_TEST = ("name", "script_content", "workers", "duration_seconds", "region")
"""Columns that say what the test is, rather than when."""

_SHOWN_TIMES = 5


async def create(session: AsyncSession, schedule: Schedule, most: int, now: datetime) -> None:
    """Store a new schedule. Raises ``LimitExceeded`` if there are ``most`` already,
    ``ValidationFailed`` for times that cannot be read or never come."""
    schedule.next_run_at = first_time(schedule.cron_expression, schedule.timezone, now)
    await add_within(session, schedule, most)
    await notices.tell(session, CHANNEL)


async def get(session: AsyncSession, schedule_id: UUID, organisation_id: UUID) -> Schedule:
    """One schedule of an organisation. Raises ``NotFound``."""
    return await owned(session, Schedule, schedule_id, organisation_id)


async def page(
    session: AsyncSession, organisation_id: UUID, *, limit: int, cursor: str | None
) -> Page[Schedule]:
    """Schedules of an organisation, newest first."""
    return await pages.page(session, Schedule, organisation_id, limit=limit, cursor=cursor)


async def change(
    session: AsyncSession,
    schedule_id: UUID,
    organisation_id: UUID,
    changes: Mapping[str, Any],
    now: datetime,
) -> Schedule:
    """Change columns of a schedule; from ``now`` on it follows what it says then.

    Raises ``NotFound``, and ``ValidationFailed`` for times that cannot be read or never come.
    """
    schedule = await owned(session, Schedule, schedule_id, organisation_id, lock=True)
    for name, value in changes.items():
        setattr(schedule, name, value)
    if changes.keys() & OF_TEST:
        schedule.refusals, schedule.refusal_code, schedule.refusal_message = 0, None, None
    if changes.keys() & {"cron_expression", "timezone", "active"}:
        first = first_time(schedule.cron_expression, schedule.timezone, now)
        schedule.next_run_at = first if schedule.active else None
        await notices.tell(session, CHANNEL)
    schedule.updated_at = now
    await session.flush()
    return schedule


async def pause(
    session: AsyncSession, schedule_id: UUID, organisation_id: UUID, now: datetime
) -> Schedule:
    """Fire no more until :func:`resume`. Raises ``InvalidState`` if it is paused already."""
    schedule = await owned(session, Schedule, schedule_id, organisation_id, lock=True)
    if not schedule.active:
        raise InvalidState("The schedule is paused already.")
    return await change(session, schedule_id, organisation_id, {"active": False}, now)


async def resume(
    session: AsyncSession, schedule_id: UUID, organisation_id: UUID, now: datetime
) -> Schedule:
    """Go on with the next time after ``now``. Raises ``InvalidState`` if it is not paused."""
    schedule = await owned(session, Schedule, schedule_id, organisation_id, lock=True)
    if schedule.active:
        raise InvalidState("The schedule is active; only a paused schedule can be resumed.")
    return await change(session, schedule_id, organisation_id, {"active": True}, now)


async def delete(session: AsyncSession, schedule_id: UUID, organisation_id: UUID) -> None:
    """Delete a schedule; its tests stay. Raises ``NotFound``."""
    await session.delete(await get(session, schedule_id, organisation_id))


async def note_run(
    session: AsyncSession, schedule_id: UUID, organisation_id: UUID, test_id: UUID
) -> None:
    """The schedule has just made this test."""
    await session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id, Schedule.organisation_id == organisation_id)
        .values(last_run_at=func.now(), last_test_id=test_id)
    )


async def note_checked(
    session: AsyncSession, schedule_id: UUID, checked: Mapping[str, Any]
) -> None:
    """Keep what a check of its script has found."""
    await session.execute(
        update(Schedule).where(Schedule.id == schedule_id).values(checked=dict(checked))
    )


def first_time(expression: str, timezone: str, now: datetime) -> datetime:
    """The first time after ``now``. Raises ``ValidationFailed`` if there is none."""
    cron.check(expression)
    times = cron.next_times(expression, timezone, now, 1)
    if not times:
        raise ValidationFailed(f"cron_expression: {expression} names no time that is to come.")
    return times[0]


def coming_times(schedule: Schedule, now: datetime) -> list[datetime]:
    """The next times at which it fires, in UTC; none while it is paused."""
    if not schedule.active:
        return []
    return cron.next_times(schedule.cron_expression, schedule.timezone, now, _SHOWN_TIMES)


def plan_of(schedule: Schedule, changes: Mapping[str, Any] | None = None) -> Plan:
    """The test that it makes, with some of the values replaced."""
    values = {name: getattr(schedule, name) for name in OF_TEST} | dict(changes or {})
    return Plan.of_script(values.pop("script_content"), **values)
