"""Firings of schedules: each instant is claimed by its row, once, before anything is done for it.

Whoever needs several locks takes those of the organisation, the schedule and the firing in this
order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import FusilladeError, ValidationFailed
from fusillade.scheduling.due import Due, due
from fusillade.storage.models import Organisation, Schedule, ScheduleFiring

_MOST_PRUNED = 5000


class Key(NamedTuple):
    """One instant of one schedule."""

    schedule_id: UUID
    fire_time: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a look at the schedules has brought."""

    looked_at: int
    """How many schedules were due."""
    pending: Sequence[Key]
    """What is to be fired now, by whoever has claimed it."""
    settled: Counter[str]
    """By ``refused`` or ``missed``: instants that nothing comes of."""


async def claim(session: AsyncSession, now: datetime, grace: timedelta, most: int) -> Claimed:
    """Claim what is due of up to ``most`` schedules, note what they have missed, and move them on.

    Of several that claim at once each takes other schedules.
    """
    schedules = (
        await session.execute(
            select(
                Schedule.id,
                Schedule.organisation_id,
                Schedule.cron_expression,
                Schedule.timezone,
                Schedule.next_run_at,
            )
            .where(Schedule.next_run_at <= now)
            .order_by(Schedule.next_run_at)
            .limit(most)
            .with_for_update(key_share=True, skip_locked=True)
        )
    ).all()
    pending: list[dict[str, Any]] = []
    settled: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    for schedule in schedules:
        found = _due(schedule, now, grace)
        if isinstance(found, FusilladeError):
            settled.append(
                _row(schedule, schedule.next_run_at, now, "refused")
                | {"code": found.code, "message": found.message}
            )
            moves.append({"id": schedule.id, "next_run_at": None})
            continue
        settled += [
            _row(schedule, one.instant, now, "missed") | {"message": one.message}
            for one in found.missed
        ]
        if found.fires is not None:
            pending.append(_row(schedule, found.fires, now, "pending"))
        moves.append({"id": schedule.id, "next_run_at": found.following})
    claimed: list[Key] = []
    if pending:
        rows = await session.execute(
            insert(ScheduleFiring)
            .values(pending)
            .on_conflict_do_nothing()
            .returning(ScheduleFiring.schedule_id, ScheduleFiring.fire_time)
        )
        claimed = [Key(*row) for row in rows]
    if settled:
        await session.execute(insert(ScheduleFiring).on_conflict_do_nothing(), settled)
    if moves:
        await session.execute(update(Schedule), moves)
    return Claimed(len(schedules), claimed, Counter(row["status"] for row in settled))


def _due(schedule: Any, now: datetime, grace: timedelta) -> Due | FusilladeError:
    """The error is one of times that could be read when the schedule was stored."""
    try:
        return due(schedule.cron_expression, schedule.timezone, schedule.next_run_at, now, grace)
    except ValidationFailed as error:
        return error


def _row(schedule: Any, instant: datetime, now: datetime, status: str) -> dict[str, Any]:
    return {
        "schedule_id": schedule.id,
        "fire_time": instant,
        "organisation_id": schedule.organisation_id,
        "status": status,
        "code": None,
        "message": None,
        "claimed_at": now,
        "settled_at": None if status == "pending" else now,
    }


async def next_time(session: AsyncSession) -> datetime | None:
    """When the next schedule is due; None if none will be."""
    return await session.scalar(select(func.min(Schedule.next_run_at)))


async def unsettled(session: AsyncSession, most: int) -> list[Key]:
    """Firings for which something is left to be done, oldest first."""
    rows = await session.execute(
        select(ScheduleFiring.schedule_id, ScheduleFiring.fire_time)
        .where(ScheduleFiring.settled_at.is_(None))
        .order_by(ScheduleFiring.claimed_at)
        .limit(most)
    )
    return [Key(*row) for row in rows]


async def find(session: AsyncSession, key: Key) -> tuple[ScheduleFiring, Schedule] | None:
    """A firing and its schedule; None if they have been deleted."""
    row = (
        await session.execute(
            select(ScheduleFiring, Schedule)
            .join(Schedule, Schedule.id == ScheduleFiring.schedule_id)
            .where(_is(key))
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def lock_pending(session: AsyncSession, key: Key) -> bool:
    """Whether the firing is still pending; then nobody else can settle it before this transaction
    ends."""
    await session.execute(
        select(Organisation.id)
        .join(Schedule, Schedule.organisation_id == Organisation.id)
        .where(Schedule.id == key.schedule_id)
        .with_for_update(key_share=True, of=Organisation)
    )
    await session.execute(
        select(Schedule.id).where(Schedule.id == key.schedule_id).with_for_update(key_share=True)
    )
    status = await session.scalar(
        select(ScheduleFiring.status).where(_is(key)).with_for_update(key_share=True)
    )
    return status == "pending"


async def note_fired(session: AsyncSession, key: Key, test_id: UUID, now: datetime) -> None:
    """The firing has made this test, whose actor is still to be launched."""
    await session.execute(
        update(ScheduleFiring).where(_is(key)).values(status="fired", test_id=test_id)
    )
    await session.execute(
        update(Schedule)
        .where(Schedule.id == key.schedule_id)
        .values(
            last_run_at=now,
            last_test_id=test_id,
            refusals=0,
            refusal_code=None,
            refusal_message=None,
        )
    )


async def note_refused(
    session: AsyncSession, key: Key, error: FusilladeError, now: datetime
) -> Schedule:
    """Nothing comes of the firing; returns its schedule, with the number of refusals in a row."""
    await session.execute(
        update(ScheduleFiring)
        .where(_is(key))
        .values(status="refused", code=error.code, message=error.message, settled_at=now)
    )
    schedule = await session.scalar(
        update(Schedule)
        .where(Schedule.id == key.schedule_id)
        .values(
            refusals=Schedule.refusals + 1,
            refusal_code=error.code,
            refusal_message=error.message,
        )
        .returning(Schedule)
        .execution_options(populate_existing=True)
    )
    assert schedule is not None  # it is locked
    return schedule


async def note_missed(session: AsyncSession, key: Key, message: str, now: datetime) -> None:
    """The firing was claimed, and it is too late to do more for it."""
    await session.execute(
        update(ScheduleFiring)
        .where(_is(key))
        .values(status="missed", message=message, settled_at=now)
    )


async def settle(session: AsyncSession, keys: Sequence[Key], now: datetime) -> None:
    """Nothing is left to be done for these."""
    mine = tuple_(ScheduleFiring.schedule_id, ScheduleFiring.fire_time).in_(keys)
    await session.execute(
        update(ScheduleFiring)
        .where(mine, ScheduleFiring.settled_at.is_(None))
        .values(settled_at=now)
        .execution_options(synchronize_session=False)
    )


async def last(session: AsyncSession, schedule_id: UUID, most: int) -> Sequence[ScheduleFiring]:
    """The last firings of a schedule, newest first."""
    rows = await session.scalars(
        select(ScheduleFiring)
        .where(ScheduleFiring.schedule_id == schedule_id)
        .order_by(ScheduleFiring.fire_time.desc())
        .limit(most)
    )
    return rows.all()


async def prune(session: AsyncSession, before: datetime) -> bool:
    """Forget some firings of before that time; returns whether there may be more."""
    old = (
        select(ScheduleFiring.schedule_id, ScheduleFiring.fire_time)
        .where(ScheduleFiring.fire_time < before, ScheduleFiring.settled_at.is_not(None))
        .limit(_MOST_PRUNED)
    )
    deleted = await session.execute(
        delete(ScheduleFiring)
        .where(tuple_(ScheduleFiring.schedule_id, ScheduleFiring.fire_time).in_(old))
        .returning(ScheduleFiring.fire_time)
    )
    return len(deleted.all()) == _MOST_PRUNED


def _is(key: Key) -> ColumnElement[bool]:
    mine = ScheduleFiring.schedule_id == key.schedule_id
    return mine & (ScheduleFiring.fire_time == key.fire_time)
