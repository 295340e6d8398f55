"""Artifacts of tests as they are stored."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import NotFound
from fusillade.storage.models import TestArtifact


async def save(session: AsyncSession, test_id: UUID, artifacts: Mapping[str, str]) -> None:
    """Store a test's artifacts; a second time replaces them."""
    await session.execute(delete(TestArtifact).where(TestArtifact.test_id == test_id))
    session.add_all(
        TestArtifact(test_id=test_id, name=name, content=text.encode("utf-8", "replace"))
        for name, text in artifacts.items()
    )


async def sizes(session: AsyncSession, test_id: UUID) -> Sequence[tuple[str, int]]:
    """Names and sizes in bytes, by name."""
    rows = await session.execute(
        select(TestArtifact.name, func.length(TestArtifact.content))
        .where(TestArtifact.test_id == test_id)
        .order_by(TestArtifact.name)
    )
    return [(name, size) for name, size in rows]


async def content(session: AsyncSession, test_id: UUID, name: str) -> bytes:
    """One artifact. Raises :class:`NotFound`."""
    found = await session.scalar(
        select(TestArtifact.content).where(
            TestArtifact.test_id == test_id, TestArtifact.name == name
        )
    )
    if found is None:
        raise NotFound(f"The test {test_id} has no artifact {name}.")
    return found
