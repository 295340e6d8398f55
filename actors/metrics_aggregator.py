"""The MetricsAggregator: merges the deltas of a test's WorkerActors and tells who listens.

It keeps everything in memory: when it is killed, it starts with nothing, and the WorkerActors,
which keep all that they have measured, send it again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import ray
from ray.exceptions import RayError

from actors import names, placement
from actors.relay import Push
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.thresholds import Threshold
from fusillade.storage.breaches import Breaches

_log = logging.getLogger(__name__)
_LATEST_SECONDS = 2
"""A second that not all WorkerActors have told of after this time is shown without them."""
_MOST_WAITING = 120
_SUMMARY_SECONDS = 1.0


@dataclass(frozen=True)
class Result:
    """Everything merged so far."""

    summary: dict[str, Any]
    series: list[dict[str, Any]]
    acknowledged: dict[int, int]
    """By share: the number up to which all deltas have come."""


class MetricsAggregator:
    """Of one test; ``regions`` has that of each of its shares."""

    def __init__(self, test_id: str, regions: list[str], thresholds: list[Threshold]) -> None:
        self._test_id = test_id
        self._sources = len(regions)
        self._aggregate = Aggregate(thresholds, regions)
        self._shown = -1
        self._last: dict[str, Any] | None = None
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._finished = False
        self._noted: set[tuple[str, str]] = set()
        """Crossed thresholds that the TestRunActor has noted."""
        self._noting: asyncio.Task[None] | None = None
        self._summary: dict[str, Any] | None = None
        self._summary_at = 0.0

    async def push(self, source: int, deltas: list[bytes]) -> int:
        """Merge deltas of one WorkerActor; returns the number up to which all have come."""
        acknowledged = self._merge(source, deltas)
        await self._show()
        return acknowledged

    async def push_all(self, pushes: list[Push]) -> list[int | Exception]:
        """Many pushes that a relay has gathered; what each returns or raises."""
        answers: list[int | Exception] = []
        for push in pushes:
            try:
                answers.append(self._merge(*push))
            except msgspec.MsgspecError as error:
                answers.append(error)
        await self._show()
        return answers

    def _merge(self, source: int, deltas: list[bytes]) -> int:
        for payload in deltas:
            self._aggregate.merge(source, payload)
        return self._aggregate.acknowledged(source)

    async def _show(self) -> None:
        if self._show_new_seconds():
            await self._look_at_thresholds()

    async def result(self) -> Result:
        """What has been merged."""
        return Result(
            summary=msgspec.to_builtins(self._aggregate.summary()),
            series=self._aggregate.series_points(),
            acknowledged={
                source: self._aggregate.acknowledged(source) for source in range(self._sources)
            },
        )

    async def summary_of_now(self) -> dict[str, Any]:
        """The summary of what has been merged; the same one for a second, however many ask."""
        if self._summary is None or time.monotonic() - self._summary_at > _SUMMARY_SECONDS:
            self._summary = msgspec.to_builtins(self._aggregate.summary())
            self._summary_at = time.monotonic()
        return self._summary

    async def series_after(self, second: int) -> list[dict[str, Any]]:
        """A point for each second that listeners were told of, later than ``second``."""
        points = self._aggregate.series_points(after=second)
        return [point for point in points if point["second"] <= self._shown]

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """The WebSocket's ``metric`` messages: the newest one at once, then one a second."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        if self._last is not None:
            queue.put_nowait(self._last)
        if self._finished:
            queue.put_nowait(None)
        self._listeners.add(queue)
        try:
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._listeners.discard(queue)

    async def announce(self, message: dict[str, Any]) -> None:
        """Pass a message (a ``status``) on to all who listen."""
        self._tell(message)

    async def finish(self) -> None:
        """There will be nothing more to follow."""
        self._finished = True
        for queue in self._listeners:
            queue.put_nowait(None)

    async def _look_at_thresholds(self) -> None:
        elapsed = self._shown + 1
        reason = self._aggregate.reason_to_abort(elapsed)
        news = [
            result
            for result in self._aggregate.crossed(elapsed)
            if (result.metric, result.expression) not in self._noted
        ]
        owner = placement.find(names.test_run(self._test_id)) if reason or news else None
        if owner is None:
            return
        if news and (self._noting is None or self._noting.done()):
            assert self._last is not None
            total = self._last["total"]
            breaches = Breaches(news, total["p95_latency_ms"], total["error_rate"])
            self._noting = asyncio.create_task(self._note(owner, breaches))
        if reason is not None:
            owner.abort.remote(reason)

    async def _note(self, owner: Any, breaches: Breaches) -> None:
        """Have thresholds noted; where that fails, the next second tries again."""
        try:
            await owner.note_breaches.remote(breaches)
        except RayError as error:
            _log.info("test %s: %s", self._test_id, error)
            return
        self._noted |= {(result.metric, result.expression) for result in breaches.results}

    def _show_new_seconds(self) -> bool:
        """Tell of the seconds that are complete; whether there were any."""
        before = self._shown
        ready = max(
            self._aggregate.complete_second(self._sources),
            self._aggregate.last_second() - _LATEST_SECONDS,
        )
        while self._shown < ready:
            self._shown += 1
            self._last = self._aggregate.metric_message(self._test_id, self._shown)
            self._tell(self._last)
        self._aggregate.settle(self._sources)
        return self._shown > before

    def _tell(self, message: dict[str, Any]) -> None:
        for queue in self._listeners:
            if queue.qsize() >= _MOST_WAITING:
                # A listener that is too slow misses the oldest; it is never waited for.
                with contextlib.suppress(asyncio.QueueEmpty):
                    queue.get_nowait()
            queue.put_nowait(message)


remote: Any = ray.remote(MetricsAggregator)
OPTIONS = {
    "num_cpus": 0,
    "max_restarts": -1,
    "max_concurrency": 10_000,
    "resources": names.ON_HEAD_NODE,
}
"""Each listener is a call that goes on for as long as it listens."""
