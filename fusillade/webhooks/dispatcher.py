"""The dispatcher: sends what is in the outbox, several messages at once.

All that it knows is in the database. It may be killed at any moment: what it was sending is sent
again when its claims have run out. It is woken by the outbox's notices and by the next moment at
which something is due; if a notice is lost, it looks by itself after a while.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.settings import Settings
from fusillade.storage import deliveries, notices
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.deliveries import Due
from fusillade.webhooks import outbox
from fusillade.webhooks.attempts import Attempt, Outcome

AT_ONCE = 256
_OF_ORGANISATION = 64
_OF_WEBHOOK = 4
"""How many messages may be on their way: so a slow receiver holds up its own webhook, and slow
webhooks hold up their own organisation."""

LOOK_SECONDS = 15.0
"""How often the outbox is looked at although nothing has called for it."""
_REST = 3.0
_LONGEST_REST_SECONDS = 1.0
"""How many times as long as it took to ask what is due the next look waits at least, so that asking
takes a small part of the time however much is going on; and how long at most."""
_PRUNE_SECONDS = 3600.0
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say of deliveries."""

    failing_hours: int
    retention_days: int
    allow_private: bool
    ca_file: Path | None

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The part of the settings that concerns webhooks."""
        return cls(
            failing_hours=settings.webhook_failing_hours,
            retention_days=settings.webhook_retention_days,
            allow_private=settings.webhook_allow_private,
            ca_file=settings.webhook_ca_file,
        )


class Sends(Protocol):
    """Who makes an attempt: a ``Sender``."""

    async def send(self, attempt: Attempt, clock: Callable[[], float] = ...) -> Outcome: ...


def _now() -> datetime:
    return datetime.now(UTC)


class Dispatcher:
    """Of one database; made in the event loop that uses it. ``now`` tells the time."""

    def __init__(
        self,
        database: Database,
        sender: Sends,
        limits: Limits,
        *,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._database = database
        self._sender = sender
        self._failing_limit = timedelta(hours=limits.failing_hours)
        self._retention = timedelta(days=limits.retention_days)
        self._now = now
        self._awake = asyncio.Event()
        self._of_webhook: Counter[UUID] = Counter()
        self._of_organisation: Counter[UUID] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._rest_seconds = 0.0
        self.looked_at: datetime | None = None
        """When the outbox was last looked at."""
        self.attempts: Counter[str] = Counter(arrived=0, failed=0)
        """Attempts by what came of them."""

    @property
    def in_flight(self) -> int:
        """How many messages are on their way."""
        return len(self._sending)

    def wake(self) -> None:
        """There may be something to send: look now."""
        self._awake.set()

    async def run(self, url: str) -> None:
        """Send until cancelled. ``url``: the database, whose notices are listened to."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(notices.listen(url, outbox.CHANNEL, self.wake))
                group.create_task(self._tidy())
                await self._look_again_and_again()
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                wait = await self.look()
            except StorageUnavailable as error:
                _log.warning("the outbox of webhooks: %s", error)
                wait = _RETRY_SECONDS
            await asyncio.sleep(self._rest_seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def look(self) -> float:
        """Begin to send what is due and there is room for; returns the seconds to the next look, if
        nothing calls for it before."""
        self._awake.clear()
        began = time.monotonic()
        async with self._database.session() as session:
            waiting = await deliveries.due(session)
        self._rest_seconds = min(_LONGEST_REST_SECONDS, (time.monotonic() - began) * _REST)
        now = self.looked_at = self._now()
        rooms = self._rooms([one for one in waiting if one.at <= now])
        if rooms:
            async with self._database.session() as session:
                attempts = await deliveries.claim(session, rooms, now)
            self._begin(attempts)
        later = next((one.at for one in waiting if one.at > now), None)
        if later is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, (later - now).total_seconds())

    def _rooms(self, waiting: list[Due]) -> dict[UUID, int]:
        """How many messages each webhook may get now; those without room are left out."""
        of_all = AT_ONCE - len(self._sending)
        taken = self._of_organisation.copy()
        rooms: dict[UUID, int] = {}
        for one in waiting:
            room = min(
                of_all,
                _OF_ORGANISATION - taken[one.organisation_id],
                _OF_WEBHOOK - self._of_webhook[one.webhook_id],
            )
            if room > 0:
                rooms[one.webhook_id] = room
                of_all -= room
                taken[one.organisation_id] += room
        return rooms

    def _begin(self, attempts: list[Attempt]) -> None:
        for attempt in attempts:
            self._of_webhook[attempt.webhook_id] += 1
            self._of_organisation[attempt.organisation_id] += 1
            task = asyncio.create_task(self._deliver(attempt))
            self._sending.add(task)
            task.add_done_callback(partial(self._done, attempt))

    def _done(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._of_webhook[attempt.webhook_id] -= 1
        self._of_organisation[attempt.organisation_id] -= 1
        # Those that are at zero would grow without end.
        self._of_webhook, self._of_organisation = +self._of_webhook, +self._of_organisation
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("delivery %s", attempt.delivery_id, exc_info=error)
        self.wake()

    async def _deliver(self, attempt: Attempt) -> None:
        outcome = await self._send(attempt)
        if outcome.has_arrived:
            self.attempts["arrived"] += 1
        else:
            self.attempts["failed"] += 1
            answer = outcome.error or f"status {outcome.status}"
            _log.info("delivery %s to %s: %s", attempt.delivery_id, attempt.webhook_id, answer)
        await self._stored(
            lambda session: deliveries.settle(
                session, attempt, outcome, self._now(), failing_limit=self._failing_limit
            )
        )

    async def _send(self, attempt: Attempt) -> Outcome:
        began = time.perf_counter()
        try:
            return await self._sender.send(attempt, lambda: self._now().timestamp())
        except Exception:  # whatever it is: it must not be tried for ever
            _log.exception("delivery %s", attempt.delivery_id)
            took = round((time.perf_counter() - began) * 1000)
            return Outcome(took, error="The platform made an error; its log has the details.")

    async def _tidy(self) -> None:
        """Delete what is old, now and then."""
        while True:
            while await self._stored(self._prune):
                pass
            await self._stored(lambda session: deliveries.forget_secrets(session, self._now()))
            await asyncio.sleep(_PRUNE_SECONDS)

    async def _prune(self, session: AsyncSession) -> int:
        return await deliveries.prune(session, self._now() - self._retention)

    async def _stored(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run a transaction, again and again while the database is away."""
        while True:
            try:
                async with self._database.session() as session:
                    return await work(session)
            except StorageUnavailable as error:
                _log.warning("the outbox of webhooks: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
