"""Waking who waits for a change in the database: PostgreSQL's LISTEN and NOTIFY.

A notice is sent when the transaction that tells it is committed, and only then. It says that
something has changed, never what; and who was not connected has missed it. So whoever listens also
looks by itself, seldom.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import psycopg
from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage.database import CONNECT_SECONDS, plain_url

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0


async def tell(session: AsyncSession, channel: str) -> None:
    """Wake all that listen, once this transaction is committed."""
    await session.execute(select(func.pg_notify(channel, "")))


async def listen(url: str, channel: str, heard: Callable[[], None]) -> None:
    """Call ``heard`` at each notice, and when some may have been missed; does not return."""
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(
                plain_url(url), autocommit=True, connect_timeout=CONNECT_SECONDS
            )
            async with connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                heard()
                while True:
                    await _readable(connection.fileno())
                    notices = connection.notifies(timeout=0)
                    async with contextlib.aclosing(notices):
                        if [notice async for notice in notices]:
                            heard()
        except psycopg.Error as error:
            _log.warning("nothing is heard on %s: %s", channel, error)
        await asyncio.sleep(_RETRY_SECONDS)


async def _readable(descriptor: int) -> None:
    """Wait for the server to say something. psycopg itself would look ten times a second."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
