"""Which runs are exported, and which are to be."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage.models import Test


async def waiting(session: AsyncSession, limit: int, without: Collection[UUID]) -> list[UUID]:
    """Runs that have results and are not exported, those first that ended first."""
    rows = await session.scalars(
        select(Test.id)
        .where(
            Test.finished_at.is_not(None),
            Test.summary.is_not(None),
            Test.exported_at.is_(None),
            Test.id.not_in(without),
        )
        .order_by(Test.finished_at)
        .limit(limit)
    )
    return list(rows)


async def find(session: AsyncSession, test_id: UUID) -> Test | None:
    """The test, if it is still there."""
    return await session.get(Test, test_id)


async def note(session: AsyncSession, test_id: UUID) -> None:
    """The test is exported."""
    await session.execute(update(Test).where(Test.id == test_id).values(exported_at=func.now()))
