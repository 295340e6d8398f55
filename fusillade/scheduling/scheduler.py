"""The scheduler: claims what is due, has it fired, and sleeps until the next schedule is.

It keeps nothing that is not in the database, so it may be killed at any moment, and several at once
do no harm.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from fusillade.creation import Validate
from fusillade.scheduling.firing import Clock, Fire, Launch
from fusillade.settings import Settings
from fusillade.storage import firings, notices, schedules
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.firings import Key

LOOK_SECONDS = 30.0
"""How often it looks although nothing is due and nobody has called."""

_RETRY_SECONDS = 1.0
_LOCKED_SECONDS = 0.05
_MOST_CLAIMED = 200
"""Schedules that are claimed in one transaction."""
_MOST_UNDER_WAY = 1000
_PRUNE_EVERY = timedelta(hours=1)

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    """Of one platform. ``run`` it; or call ``look`` whenever time has passed."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        validate: Validate,
        launch: Launch,
        clock: Clock = _now,
    ) -> None:
        self._database = database
        self._clock = clock
        self._fire = Fire(database, settings, validate, launch, clock)
        self._grace = timedelta(seconds=settings.schedule_grace_seconds)
        self._history = timedelta(days=settings.schedule_history_days)
        self._under_way: dict[Key, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._take_up_at = clock()
        """When to look for firings that somebody has claimed and not settled."""
        self._prune_at = clock()
        self.looked_at: datetime | None = None
        """When the database was last asked and has answered."""
        self.next_time: datetime | None = None
        """When the next schedule is due, as far as is known."""

    @property
    def under_way(self) -> int:
        """How many firings it is busy with."""
        return len(self._under_way)

    @property
    def counts(self) -> dict[str, int]:
        """Instants since it was made, by what became of them: fired, refused, missed."""
        return dict(self._fire.counts)

    def wake(self) -> None:
        """Some schedule's times are others than before: look now."""
        self._wake.set()

    async def run(self, url: str) -> NoReturn:
        """Fire all schedules in time, for ever. ``url``: of the database, whose notices wake it."""
        listening = asyncio.create_task(notices.listen(url, schedules.CHANNEL, self.wake))
        try:
            while True:
                self._wake.clear()
                seconds = await self._look_or_wait()
                try:
                    async with asyncio.timeout(seconds):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            listening.cancel()
            for task in self._under_way.values():
                task.cancel()

    async def look(self) -> float:
        """Claim all that is due and begin to fire it; returns in how many seconds to look again.

        Raises ``StorageUnavailable``.
        """
        now = self._clock()
        if now >= self._take_up_at:
            async with self._database.session() as session:
                for key in await firings.unsettled(session, _MOST_UNDER_WAY):
                    self._begin(key)
            self._take_up_at = now + timedelta(seconds=LOOK_SECONDS)
        full = True
        while full and (room := _MOST_UNDER_WAY - self.under_way) > 0:
            most = min(_MOST_CLAIMED, room)
            async with self._database.session() as session:
                claimed = await firings.claim(session, now, self._grace, most)
                self.next_time = await firings.next_time(session)
            self._fire.counts.update(claimed.settled)
            for key in claimed.pending:
                self._begin(key)
            full = claimed.looked_at == most
        if now >= self._prune_at:
            await self._prune(now - self._history)
            self._prune_at = now + _PRUNE_EVERY
        self.looked_at = self._clock()
        if self.under_way >= _MOST_UNDER_WAY:
            return LOOK_SECONDS  # it is woken when some of them have ended
        if self.next_time is None:
            return LOOK_SECONDS
        seconds = (self.next_time - self._clock()).total_seconds()
        # What is due and was not claimed is locked by somebody who changes or fires it.
        return min(LOOK_SECONDS, max(_LOCKED_SECONDS if self.next_time <= now else 0.0, seconds))

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way.values()))

    async def _look_or_wait(self) -> float:
        try:
            return await self.look()
        except StorageUnavailable as error:
            _log.warning("schedules: %s", error)
        except Exception:
            _log.exception("schedules")
        self._take_up_at = self._clock()
        await asyncio.sleep(_RETRY_SECONDS)
        return 0.0

    def _begin(self, key: Key) -> None:
        if key not in self._under_way:
            task = self._under_way[key] = asyncio.create_task(self._fire_one(key))
            task.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: Key) -> None:
        del self._under_way[key]
        if self.under_way == max(0, _MOST_UNDER_WAY - _MOST_CLAIMED):
            self.wake()  # there may be more due than it has claimed

    async def _fire_one(self, key: Key) -> None:
        try:
            await self._fire(key)
        except Exception as error:
            # It stays unsettled, and is taken up again.
            _log.warning("schedule %s at %s: %s: %s", *key, type(error).__name__, error)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._take_up)

    def _take_up(self) -> None:
        self._take_up_at = self._clock()
        self.wake()

    async def _prune(self, before: datetime) -> None:
        more = True
        while more:
            async with self._database.session() as session:
                more = await firings.prune(session, before)
