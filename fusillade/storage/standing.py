"""How a platform stands: what waits, and since when, for dashboards and alerts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage import deliveries, tests
from fusillade.storage.models import Schedule, ScheduleFiring, Test, WebhookDelivery

_OVERLAP = timedelta(minutes=1)
"""A test has its end's time before that is stored: for so long one looks back for it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that waits."""

    count: int
    oldest_seconds: float
    """For how long what is due has been due; 0 if nothing is."""

    @classmethod
    def since(cls, count: int, oldest: datetime | None, now: datetime) -> Self:
        """``oldest``: the moment from which on it should have been done."""
        waited = 0.0 if oldest is None else (now - oldest).total_seconds()
        return cls(count, max(0.0, waited))


async def schedules(session: AsyncSession, now: datetime) -> Waiting:
    """Schedules that are due, and firings for which something is left to be done."""
    due, first = (
        await session.execute(
            select(func.count(), func.min(Schedule.next_run_at)).where(Schedule.next_run_at <= now)
        )
    ).one()
    begun, earliest = (
        await session.execute(
            select(func.count(), func.min(ScheduleFiring.fire_time)).where(
                ScheduleFiring.settled_at.is_(None)
            )
        )
    ).one()
    oldest = min((moment for moment in (first, earliest) if moment is not None), default=None)
    return Waiting.since(due + begun, oldest, now)


async def webhooks(session: AsyncSession, now: datetime) -> Waiting:
    """Messages in the outbox, also those that are not due before their next attempt."""
    pending = await session.scalar(select(func.count()).where(WebhookDelivery.status == "pending"))
    first = next((one.at for one in await deliveries.due(session)), None)
    return Waiting.since(pending or 0, first, now)


async def live_tests(session: AsyncSession) -> dict[str, int]:
    """How many tests there are in each status that is not an end."""
    found = await session.execute(
        select(Test.status, func.count()).where(Test.status.in_(tests.ACTIVE)).group_by(Test.status)
    )
    return dict.fromkeys(tests.ACTIVE, 0) | dict(found.all())


class EndedTests:
    """Counts tests that end after ``since``."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._looked_at = since
        self._known: dict[UUID, datetime] = {}
        self.counts: Counter[str] = Counter(dict.fromkeys(tests.ENDED, 0))
        """By status, those that have been found."""

    async def look(self, session: AsyncSession, now: datetime) -> None:
        """Find those that have ended since the last look."""
        since = max(self._since, self._looked_at - _OVERLAP)
        found = await session.execute(
            select(Test.id, Test.status, Test.finished_at).where(Test.finished_at > since)
        )
        for test_id, status, finished_at in found:
            if test_id not in self._known:
                assert finished_at is not None  # the query says so
                self._known[test_id] = finished_at
                self.counts[status] += 1
        self._looked_at = now
        self._known = {one: at for one, at in self._known.items() if at > now - 2 * _OVERLAP}
