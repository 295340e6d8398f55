"""Notices: they wake who listens when something is committed, also after a lost connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy

from fusillade.storage import notices
from fusillade.storage.database import Database

OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


@pytest.fixture
async def heard(database_url: str) -> AsyncIterator[asyncio.Queue[None]]:
    """One item for each time that somebody on the channel ``doors`` was woken."""
    queue: asyncio.Queue[None] = asyncio.Queue()
    listening = asyncio.create_task(
        notices.listen(database_url, "doors", lambda: queue.put_nowait(None))
    )
    async with asyncio.timeout(30):
        await queue.get()  # it listens from now on
    yield queue
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_notice_comes_with_the_commit(store: Database, heard: asyncio.Queue[None]) -> None:
    async with asyncio.timeout(30):
        async with store.session() as session:
            await notices.tell(session, "doors")
            await notices.tell(session, "windows")
            await session.execute(sqlalchemy.text("SELECT pg_sleep(0.05)"))
            assert heard.empty()
        await heard.get()


async def test_what_is_rolled_back_wakes_nobody(
    store: Database, heard: asyncio.Queue[None]
) -> None:
    async with store.session() as session:
        await notices.tell(session, "doors")
        await session.rollback()
    async with asyncio.timeout(30):
        async with store.session() as session:
            await notices.tell(session, "doors")
        await heard.get()
    assert heard.empty()


async def test_who_has_lost_the_connection_is_woken_and_listens_again(
    store: Database, heard: asyncio.Queue[None]
) -> None:
    async with asyncio.timeout(30):
        async with store.session() as session:
            await session.execute(sqlalchemy.text(OTHERS))
        await heard.get()
        async with store.session() as session:
            await notices.tell(session, "doors")
        await heard.get()
