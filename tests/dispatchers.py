"""Dispatchers of webhooks, in this process or in one that dies at a certain step.

python tests/dispatchers.py DATABASE_URL CA_FILE STEP
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from fusillade.storage import deliveries
from fusillade.storage.database import Database
from fusillade.webhooks.attempts import Attempt, Outcome
from fusillade.webhooks.dispatcher import Dispatcher, Limits
from fusillade.webhooks.sender import Sender

BODY = '{"event":"test.ready","timestamp":"2026-02-06T12:00:00Z","data":{"name":"Größe 😀"}}'
LIMITS = Limits(failing_hours=72, retention_days=30, allow_private=True, ca_file=None)


def attempt(url: str, **more: Any) -> Attempt:
    """BODY for that URL."""
    fields: dict[str, Any] = {
        "delivery_id": UUID(int=7),
        "claim": uuid4(),
        "webhook_id": uuid4(),
        "organisation_id": uuid4(),
        "url": url,
        "event": "test.ready",
        "body": BODY,
        "secrets": ("whsec_new", "whsec_old"),
    }
    return Attempt(**(fields | more))


async def sent(url: str, trusted: Path | None = None, **more: Any) -> Outcome:
    """What comes of one attempt; ``more`` is for the Sender."""
    options = {"connections": 4, "allow_private": True, "ca_file": trusted} | more
    async with Sender(**options) as sender:
        return await sender.send(attempt(url), lambda: 1770379200.9)


class Clock:
    """A time that stands still until it is put forward, ahead of all that the tests store."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC) + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self._now

    def forward(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@contextlib.asynccontextmanager
async def running_dispatcher(
    url: str, ca_file: Path, clock: Clock | None = None, **more: Any
) -> AsyncIterator[Dispatcher]:
    """Sends until the block ends; ``more`` is for the Sender."""
    database = Database(url, pool_size=3)
    async with Sender(connections=8, ca_file=ca_file, **{"allow_private": True} | more) as sender:
        dispatcher = Dispatcher(database, sender, LIMITS, now=clock or Clock())
        running = asyncio.create_task(dispatcher.run(url))
        try:
            yield dispatcher
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    await database.dispose()


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(step: str) -> None:
    """Make this process end, as by ``kill -9``, at a step of the first message that it sends."""
    claim, settle, send = deliveries.claim, deliveries.settle, Sender.send

    async def claimed(session: Any, *arguments: Any) -> Any:
        found = await claim(session, *arguments)
        if found and step == "before the claim is committed":
            _die()
        return found

    async def sent(self: Any, *arguments: Any) -> Any:
        if step == "after the claim":
            _die()
        outcome = await send(self, *arguments)
        if step == "after the answer":
            _die()
        return outcome

    async def settled(session: Any, *arguments: Any, **more: Any) -> None:
        await settle(session, *arguments, **more)
        await session.flush()
        if step == "before the result is committed":
            _die()
        await session.commit()
        if step == "after the result is committed":
            _die()

    deliveries.claim, Sender.send = claimed, sent  # type: ignore[assignment,method-assign]
    deliveries.settle = settled


async def _send(url: str, ca_file: str) -> None:
    async with running_dispatcher(url, Path(ca_file)):
        await asyncio.sleep(60)


if __name__ == "__main__":
    dying_at(sys.argv[3])
    asyncio.run(_send(*sys.argv[1:3]))
