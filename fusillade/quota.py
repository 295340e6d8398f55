"""An organisation's quota: what is used of it, and tests that start within it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.plans import Limits, limits_of
from fusillade.settings import Settings
from fusillade.storage import accounts, tests, usage
from fusillade.storage.models import Schedule, Template, Test
from fusillade.storage.usage import Taken


@dataclass(frozen=True, slots=True)
class Quota:
    """Of one organisation in the present month (UTC), from ``start`` to before ``end``."""

    limits: Limits
    start: datetime
    end: datetime
    taken: Taken
    templates: int
    schedules: int


async def start(
    session: AsyncSession, test_id: UUID, organisation_id: UUID, settings: Settings, now: datetime
) -> Test:
    """Start a ready test, and reserve its minutes in the same transaction.

    Raises ``InvalidState``, ``NotFound``, ``QuotaExceeded``.
    """
    await tests.get(session, test_id, organisation_id)
    test = await tests.transition(session, test_id, "pending")
    await reserve(session, test, settings, now)
    return test


async def reserve(session: AsyncSession, test: Test, settings: Settings, now: datetime) -> None:
    """Reserve the minutes of a test that starts, or will start by itself.

    Raises ``QuotaExceeded``.
    """
    organisation = await accounts.organisation(session, test.organisation_id)
    await usage.reserve(session, test, limits_of(organisation, settings).monthly_minutes, now)


async def look(
    session: AsyncSession, organisation_id: UUID, settings: Settings, now: datetime
) -> Quota:
    """What the organisation may use, and what it has used."""
    organisation = await accounts.organisation(session, organisation_id)
    month = usage.month_of(now)
    begin = datetime(month.year, month.month, 1, tzinfo=UTC)
    next_year, next_month = divmod(month.year * 12 + month.month, 12)
    counts = [
        await session.scalar(
            select(func.count()).select_from(table).where(table.organisation_id == organisation_id)
        )
        for table in (Template, Schedule)
    ]
    return Quota(
        limits=limits_of(organisation, settings),
        start=begin,
        end=datetime(next_year, next_month + 1, 1, tzinfo=UTC),
        taken=await usage.of_month(session, organisation_id, month),
        templates=counts[0] or 0,
        schedules=counts[1] or 0,
    )
