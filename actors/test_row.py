"""The row of one test, as its TestRunActor reads and changes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import NotFound
from fusillade.storage import tests
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.models import Test

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_ANSWER_SECONDS = 30.0
"""A database that has not answered for so long is away, whatever its connections look like."""

T = TypeVar("T")


class TestRow:
    """Whatever is asked waits while the database is away."""

    __test__ = False  # its name is not meant for pytest

    def __init__(self, test_id: str, database_url: str) -> None:
        self._id = UUID(test_id)
        self._database = Database(database_url, pool_size=1)

    async def read(self) -> Test:
        """The row as it is now. Raises :class:`NotFound`."""
        return await self.stored(lambda session: tests.by_id(session, self._id))

    async def read_or_none(self) -> Test | None:
        """The row as it is now, if it is there."""
        try:
            return await self.read()
        except NotFound:
            return None

    async def files(self) -> dict[str, bytes]:
        """The test's files by path."""
        return await self.stored(lambda session: tests.files(session, self._id))

    async def transition(self, to: str, **values: Any) -> Test:
        """Change the status. Raises :class:`InvalidState`, :class:`NotFound`."""
        return await self.stored(lambda session: tests.transition(session, self._id, to, **values))

    async def stored(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run a transaction, again and again while the database is away."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS), self._database.session() as session:
                    return await work(session)
            except (StorageUnavailable, TimeoutError) as error:
                _log.warning("test %s: the database is away: %r", self._id, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def close(self) -> None:
        """Give the connections back."""
        await self._database.dispose()
