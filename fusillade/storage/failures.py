"""Failed requests of tests as they are stored."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.failures.record import FailedRequest
from fusillade.storage.models import TestFailures

_decode = msgspec.json.Decoder(list[FailedRequest]).decode


async def save(session: AsyncSession, test_id: UUID, records: Sequence[FailedRequest]) -> None:
    """Store a test's sample; a second time replaces it."""
    content = msgspec.json.encode(list(records))
    await session.execute(
        insert(TestFailures)
        .values(test_id=test_id, content=content)
        .on_conflict_do_update(index_elements=[TestFailures.test_id], set_={"content": content})
    )


async def of_test(session: AsyncSession, test_id: UUID) -> list[FailedRequest]:
    """A test's sample; empty before the end."""
    found = await session.get(TestFailures, test_id)
    return [] if found is None else _decode(found.content)
