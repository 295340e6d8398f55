"""The minutes that tests use: reserved when they start, settled when they end.

What is kept are seconds. A test is charged for what it ran, pauses left out, and never for more
than was reserved: iterations that end after its duration cost nothing.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import QuotaExceeded
from fusillade.storage.models import Organisation, Test, Usage


@dataclass(frozen=True, slots=True)
class Taken:
    """Of one organisation in one month, in seconds."""

    used: int
    reserved: int
    """For tests that have not ended."""


def month_of(moment: datetime) -> date:
    """The first day of the month, UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


async def reserve(
    session: AsyncSession, test: Test, monthly_minutes: int | None, now: datetime
) -> None:
    """Set the test's duration aside, unless that has been done before.

    Starts of one organisation go one after the other until their transactions end, so that
    together they do not overdraw. Raises :class:`QuotaExceeded`.
    """
    await session.execute(
        select(Organisation.id)
        .where(Organisation.id == test.organisation_id)
        .with_for_update(key_share=True)
    )
    if await session.get(Usage, test.id) is not None:
        return
    month = month_of(now)
    if monthly_minutes is not None:
        taken = await of_month(session, test.organisation_id, month)
        left = monthly_minutes * 60 - taken.used - taken.reserved
        if test.duration_seconds > left:
            raise QuotaExceeded(
                f"Monthly minute quota exceeded. Your plan allows up to {monthly_minutes} minutes; "
                f"{minutes(max(0, left)):g} are left, and this test needs "
                f"{minutes(test.duration_seconds):g}."
            )
    session.add(
        Usage(
            test_id=test.id,
            organisation_id=test.organisation_id,
            month=month,
            reserved_seconds=test.duration_seconds,
        )
    )
    await session.flush()


async def settle(session: AsyncSession, test: Test, now: datetime | None = None) -> None:
    """Charge a test for what it ran, once; what is left of its reservation is free again.

    ``now``: when it ends, if the row does not say so.
    """
    seconds = 0
    end = test.finished_at or now
    if test.started_at is not None and end is not None:
        paused = test.paused_seconds
        if test.paused_at is not None:
            paused += max(0.0, end.timestamp() - test.paused_at)
        ran = (end - test.started_at).total_seconds()
        seconds = max(0, math.ceil(ran - paused))
    await session.execute(
        update(Usage)
        .where(Usage.test_id == test.id, Usage.used_seconds.is_(None))
        .values(used_seconds=func.least(Usage.reserved_seconds, seconds))
    )


async def of_month(session: AsyncSession, organisation_id: UUID, month: date) -> Taken:
    """What the organisation's tests have used, and what is set aside for them."""
    used, reserved = (
        await session.execute(
            select(
                func.coalesce(func.sum(Usage.used_seconds), 0),
                func.coalesce(
                    func.sum(Usage.reserved_seconds).filter(Usage.used_seconds.is_(None)), 0
                ),
            ).where(Usage.organisation_id == organisation_id, Usage.month == month)
        )
    ).one()
    return Taken(int(used or 0), int(reserved or 0))


def minutes(seconds: int) -> float:
    """As minutes, to two places."""
    return round(seconds / 60, 2)
