"""What tests of the scheduler share."""

from collections.abc import AsyncIterator

import pytest
from clocks import EVENING, Simulated
from sqlalchemy import delete

from fusillade.storage.database import Database
from fusillade.storage.models import Organisation


@pytest.fixture
async def store(module_database_url: str) -> AsyncIterator[Database]:
    """The database of this file, without the schedules of the tests before."""
    opened = Database(module_database_url, pool_size=5)
    async with opened.session() as session:
        await session.execute(delete(Organisation))
    yield opened
    await opened.dispose()


@pytest.fixture
async def simulated(store: Database) -> Simulated:
    """It is the evening before the first night."""
    return await Simulated.new(store, EVENING)
