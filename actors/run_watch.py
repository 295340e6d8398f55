"""The watch over a test that runs: it ends, is paused or stopped, and loses nobody unnoticed."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.attention import Attention
from actors.crew import Crew
from actors.metrics_link import MetricsLink
from actors.share_run import ShareRun
from actors.test_row import TestRow
from actors.worker import Outcome
from fusillade.script.options import longest_grace
from fusillade.storage import pauses
from fusillade.storage.models import Test

_OVERTIME_SECONDS = 60.0
_SILENT_SECONDS = 20.0
"""A WorkerActor of which nothing has come for so long, whatever Ray knows of it, is given up; or
for twice the time that its script may keep it from telling."""


Waiting = dict["asyncio.Task[Outcome]", int]
"""The shares that have not ended, by index."""


@dataclass
class Ended:
    """How all shares came to their ends."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    status: str = "completed"
    why: str | None = None
    """Why it was stopped, if no user did it."""


class RunWatch:
    """Over one test; ``until_the_end`` once."""

    def __init__(
        self,
        row: TestRow,
        crew: Crew,
        metrics: MetricsLink,
        attention: Attention,
        *,
        pause_seconds: float,
        watchdog_seconds: float,
        aborted: Callable[[], str | None],
        announce: Callable[[Test], Awaitable[None]],
    ) -> None:
        """``aborted``: why the test is to end at once, if it is; ``announce``: tells listeners of
        the row."""
        self._row = row
        self._crew = crew
        self._metrics = metrics
        self._attention = attention
        self._pause_seconds = pause_seconds
        self._silent_seconds = max(_SILENT_SECONDS, 2 * watchdog_seconds)
        self._aborted = aborted
        self._announce = announce
        self._pause: tuple[float | None, float | None] = (None, None)
        """The row's ``paused_at`` and ``resumed_at`` as the WorkerActors know them."""
        self._began_at = time.time()
        self._newest: Test | None = None
        """The row as it was read last."""

    async def until_the_end(self, shares: Sequence[ShareRun], test: Test) -> Ended:
        """Wait for all shares to end; pause and stop them when the user or a failure wants it.

        Raises :class:`NotFound` when the test is deleted."""
        waiting = {asyncio.create_task(share.run()): index for index, share in enumerate(shares)}
        try:
            ended = await self._watch(shares, waiting, test)
        finally:
            # Nobody is to succeed those that are ended now.
            for future in waiting:
                future.cancel()
        await self._outlast_pauses(ended)
        return ended

    async def _watch(self, shares: Sequence[ShareRun], waiting: Waiting, test: Test) -> Ended:
        ended, self._newest = Ended(), test
        assert test.start_at is not None
        grace = longest_grace(test.options)
        deadline = test.start_at + test.duration_seconds + _OVERTIME_SECONDS + grace
        paused_seconds = 0.0
        while waiting:
            await self._look(waiting)
            failed = False
            for future in [future for future in waiting if future.done()]:
                outcome = future.result()
                ended.outcomes[waiting.pop(future)] = outcome
                failed |= outcome.reason is not None
            if not waiting:
                break
            test = self._newest = await self._row.read()
            now = time.time()
            if ended.status == "completed":
                await self._follow_pause(test)
                paused_seconds = pauses.paused_seconds(test, now)
                ended.why = self._paused_too_long(test)
                if test.stop_requested or ended.why is not None:
                    ended.status = "stopped"
                    deadline = now - paused_seconds + grace + _OVERTIME_SECONDS
                    await self._crew.tell("stop", grace)
            stopping = failed or self._aborted() is not None
            if stopping:
                await self._crew.tell("stop", 0.0)
            assert test.start_at is not None
            is_over = now > test.start_at + test.duration_seconds + paused_seconds
            if stopping or is_over or ended.status == "stopped":
                self._give_up_vacant(shares, waiting, ended)
            if now > deadline + paused_seconds:
                for index in _not_done(waiting).values():
                    shares[index].is_last = True
                    self._crew.kill(index)
                deadline = math.inf
            await self._end_the_silent(shares, waiting)
        return ended

    async def tell_of_pauses(self, member: Any) -> None:
        """Tell one WorkerActor what all others know, without asking the database for it."""
        test = self._newest
        if test is None:
            return
        if test.paused_at is not None:
            await member.handle.pause.remote(test.paused_at, test.paused_seconds)
        elif test.resumed_at is not None:
            await member.handle.resume.remote(test.resumed_at, test.paused_seconds)

    async def _look(self, waiting: Waiting) -> None:
        """Wait until a share has ended or it is time to look."""
        look = asyncio.ensure_future(self._attention.wait())
        anything: set[asyncio.Future[Any]] = {*waiting, look}
        await asyncio.wait(anything, return_when=asyncio.FIRST_COMPLETED)
        look.cancel()

    def _give_up_vacant(
        self,
        shares: Sequence[ShareRun],
        waiting: Waiting,
        ended: Ended,
    ) -> None:
        """What nobody runs comes to its end with nobody."""
        for future, index in _not_done(waiting).items():
            if shares[index].is_vacant:
                future.cancel()
                del waiting[future]
                self._crew.kill(index)
                ended.outcomes[index] = Outcome()

    async def _end_the_silent(self, shares: Sequence[ShareRun], waiting: Waiting) -> None:
        """End those that live but tell nothing, so that others succeed them."""
        if time.time() - self._began_at < self._silent_seconds:
            return
        silences: list[float] | None = await self._metrics.try_to_ask("silences")
        if silences is None:
            return
        for index in _not_done(waiting).values():
            if silences[index] > self._silent_seconds and not shares[index].is_vacant:
                self._crew.kill(index)

    async def _outlast_pauses(self, ended: Ended) -> None:
        """Who has paused a test does not expect it to end."""
        test = await self._row.read()
        whole = self._aborted() is None and all(
            one.reason is None for one in ended.outcomes.values()
        )
        while whole and ended.status == "completed" and pauses.is_paused(test):
            await self._follow_pause(test)
            ended.why = self._paused_too_long(test)
            if ended.why is not None:
                ended.status = "stopped"
            else:
                await self._attention.wait()
                test = await self._row.read()
        if ended.status == "completed" and test.stop_requested:
            ended.status = "stopped"

    async def _follow_pause(self, test: Test) -> None:
        """Tell the WorkerActors, and who listens, of a pause that has begun or ended."""
        pause = (test.paused_at, test.resumed_at)
        if pause == self._pause:
            return
        self._pause = pause
        if test.paused_at is not None:
            await self._crew.tell("pause", test.paused_at, test.paused_seconds)
        else:
            await self._crew.tell("resume", test.resumed_at, test.paused_seconds)
        await self._announce(test)

    def _paused_too_long(self, test: Test) -> str | None:
        limit = self._pause_seconds
        if test.paused_at is None or time.time() - test.paused_at <= limit:
            return None
        return f"The test was paused for more than {limit:g} s, so it was stopped."


def _not_done(waiting: Waiting) -> Waiting:
    """Without those that have ended since they were last looked at, perhaps long ago: whoever
    looks has waited for the database."""
    return {future: index for future, index in waiting.items() if not future.done()}
