"""The MetricsAggregator: merges the deltas of a test's WorkerActors and tells who listens.

It keeps everything in memory and, before it acknowledges anything, in a journal on the head node's
disk. So when it is killed it starts again with all that it has acknowledged, also of WorkerActors
that are gone.
"""

import asyncio
import contextlib
import logging
import pickle
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import ray
from ray.exceptions import RayError

from actors import log, names, placement, published
from actors.config import Watching
from actors.relay import Push
from fusillade.engine.takeover import Takeover
from fusillade.failures.record import FailedRequest
from fusillade.metrics.intake import SUPERSEDED, Came, Event, Intake, Lost, Resumed, encode
from fusillade.metrics.journal import Journal
from fusillade.metrics.run_gauges import EVERY_SECONDS, RunGauges
from fusillade.metrics.thresholds import Threshold

if TYPE_CHECKING:
    from fusillade.storage.breaches import Breaches

_log = logging.getLogger(__name__)
_LATEST_SECONDS = 2
"""A second that not all WorkerActors have told of after this time is shown without them."""
_MOST_WAITING = 120
_SUMMARY_SECONDS = 1.0
_MOST_REMEMBERED = 600
"""Messages for listeners who come back."""


@dataclass(frozen=True)
class Result:
    """Everything merged so far."""

    summary: dict[str, Any]
    series: list[dict[str, Any]]
    acknowledged: dict[int, int]
    """By share: the number up to which all deltas of its present generation have come."""
    failures: list[FailedRequest]
    """A sample of the requests that failed."""


class MetricsAggregator:
    """Of one test; ``regions`` has that of each of its shares, ``directory`` its journal."""

    def __init__(
        self,
        test_id: str,
        regions: list[str],
        thresholds: list[Threshold],
        directory: Path,
        name: str = "",
        watching: Watching = Watching(),  # noqa: B008 - it cannot be changed
    ) -> None:
        log.begin(watching, names.metrics(test_id), test=test_id)
        published.begin(watching, names.metrics(test_id))
        self._test_id = test_id
        self._name = log.in_one_line(name)
        self._gauges = RunGauges(test_id, self._name)
        self._published_at = float("-inf")
        self._intake = Intake(regions, thresholds)
        self._shown = -1
        self._told: deque[dict[str, Any]] = deque(maxlen=_MOST_REMEMBERED)
        """The newest ``metric`` messages."""
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._finished = False
        self._noted: set[tuple[str, str]] = set()
        """Crossed thresholds that the TestRunActor has noted."""
        self._noting: asyncio.Task[None] | None = None
        self._summary: dict[str, Any] | None = None
        self._summary_at = 0.0
        self._journal: Journal | None = None
        try:
            self._journal = self._read(directory)
        except (OSError, msgspec.MsgspecError, pickle.UnpicklingError):
            _log.exception("test %s: its journal cannot be used", test_id)
        self._heard_at = [time.monotonic()] * len(regions)
        _log.info(
            "ready for the metrics of %d WorkerActors in %s, with %d deltas of before",
            len(regions),
            ", ".join(dict.fromkeys(regions)),
            self._intake.aggregate.merged,
        )

    def __repr__(self) -> str:
        return f"MetricsAggregator({self._name}, {self._test_id})"

    async def push(self, share: int, generation: int, deltas: list[bytes]) -> int:
        """Merge deltas of one WorkerActor; returns the number up to which all have come, or
        SUPERSEDED when another has taken its share over."""
        acknowledged = self._merge(share, generation, deltas)
        await self._show()
        return acknowledged

    async def push_all(self, *pushes: Push) -> list[int | Exception]:
        """Many pushes that a relay has gathered; what each returns or raises."""
        answers: list[int | Exception] = []
        for push in pushes:
            try:
                answers.append(self._merge(*push))
            except msgspec.MsgspecError as error:
                answers.append(error)
        await self._show()
        return answers

    def _merge(self, share: int, generation: int, deltas: list[bytes]) -> int:
        self._write(
            [
                Came(share, generation, payload)
                for payload in deltas
                if self._intake.take(share, generation, payload)
            ]
        )
        acknowledged = self._intake.acknowledged(share, generation)
        if acknowledged != SUPERSEDED:
            self._heard_at[share] = time.monotonic()
        return acknowledged

    async def _show(self) -> None:
        if self._show_new_seconds():
            self._publish()
            await self._look_at_thresholds()

    def _publish(self) -> None:
        """Tell who collects metrics, now and then."""
        now = time.monotonic()
        if now - self._published_at < EVERY_SECONDS:
            return
        self._published_at = now
        try:
            for sample in self._gauges.read(self._intake.aggregate, self._shown):
                published.show(sample.metric, sample.value, sample.tags)
        except Exception:  # whatever it is: the run does not depend on it
            _log.exception("test %s: its metrics for dashboards", self._test_id)

    async def lose(self, share: int, generation: int, node: str | None) -> Takeover:
        """This generation of a share is gone: take nothing of it any more. What its successor has
        to know."""
        takeover = self._intake.lose(share, generation, node)
        self._write([Lost(share, generation, node)])
        self._heard_at[share] = time.monotonic()
        return takeover

    async def resume(self, share: int, generation: int, at_seconds: float) -> None:
        """This generation begins, so many seconds after the shared start."""
        self._intake.resume(share, generation, at_seconds)
        self._write([Resumed(share, generation, at_seconds)])
        self._heard_at[share] = time.monotonic()

    async def takeovers(self) -> list[Takeover]:
        """By share: the present generation, and what it has to know."""
        return [self._intake.takeover(share) for share in range(self._intake.shares)]

    async def silences(self) -> list[float]:
        """By share: for how many seconds nothing has come of it."""
        now = time.monotonic()
        return [now - heard_at for heard_at in self._heard_at]

    async def result(self) -> Result:
        """What has been merged."""
        intake = self._intake
        return Result(
            summary=self._summarize(),
            series=intake.aggregate.series_points(),
            acknowledged={
                share: intake.acknowledged(share, intake.present(share))
                for share in range(intake.shares)
            },
            failures=intake.aggregate.failures.records,
        )

    async def failures(self) -> list[FailedRequest]:
        """The sample so far of the requests that failed."""
        return self._intake.aggregate.failures.records

    async def summary_of_now(self) -> dict[str, Any]:
        """The summary of what has been merged; the same one for a second, however many ask."""
        if self._summary is None or time.monotonic() - self._summary_at > _SUMMARY_SECONDS:
            self._summary = self._summarize()
            self._summary_at = time.monotonic()
        return self._summary

    def _summarize(self) -> dict[str, Any]:
        intake = self._intake
        summary: dict[str, Any] = msgspec.to_builtins(intake.aggregate.summary())
        summary["warnings"] += intake.warnings()
        summary["losses"] = msgspec.to_builtins(intake.losses)
        return summary

    async def series_after(self, second: int) -> list[dict[str, Any]]:
        """A point for each second that listeners were told of, later than ``second``."""
        points = self._intake.aggregate.series_points(after=second)
        return [point for point in points if point["second"] <= self._shown]

    async def follow(self, after: int | None = None) -> AsyncIterator[dict[str, Any]]:
        """The WebSocket's ``metric`` messages: the newest one at once, then one a second.

        ``after``: all that are remembered from after so many seconds of the run, instead of the
        newest one."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        told = list(self._told)
        newest = told[-1:] if after is None else told
        for one in newest:
            if after is None or one["elapsed_seconds"] > after:
                queue.put_nowait(one)
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
        if not self._finished and self._shown >= 0:
            self._published_at = float("-inf")
            self._publish()
        self._finished = True
        for queue in self._listeners:
            queue.put_nowait(None)
        await published.flush()  # it may take its time: nobody waits for that

    # ---- the journal -------------------------------------------------------------------------

    def _read(self, directory: Path) -> Journal:
        """Take in what has been taken in before."""
        journal = Journal(directory)
        state = journal.state()
        if state is not None:
            self._intake, self._shown, self._told = pickle.loads(state)
            self._show_new_seconds()
        for entry in journal.entries():
            self._intake.apply(entry)
            self._show_new_seconds()
        return journal

    def _write(self, events: list[Event]) -> None:
        journal = self._journal
        if journal is None or not events:
            return
        try:
            journal.append(encode(event) for event in events)
            if journal.is_long:
                journal.replace(pickle.dumps((self._intake, self._shown, self._told)))
        except OSError:
            _log.exception("test %s: its journal cannot be written any more", self._test_id)
            self._journal = None

    # ---- who listens -------------------------------------------------------------------------

    async def _look_at_thresholds(self) -> None:
        elapsed = self._shown + 1
        reason = self._intake.aggregate.reason_to_abort(elapsed)
        news = [
            result
            for result in self._intake.aggregate.crossed(elapsed)
            if (result.metric, result.expression) not in self._noted
        ]
        owner = placement.find(names.test_run(self._test_id)) if reason or news else None
        if owner is None:
            return
        if news and (self._noting is None or self._noting.done()):
            total = self._told[-1]["total"]
            # With it comes the database: an aggregator starts sooner without.
            from fusillade.storage.breaches import Breaches

            breaches = Breaches(news, total["p95_latency_ms"], total["error_rate"])
            self._noting = asyncio.create_task(self._note(owner, breaches))
        if reason is not None:
            owner.abort.remote(reason)

    async def _note(self, owner: Any, breaches: "Breaches") -> None:
        """Have thresholds noted; where that fails, the next second tries again."""
        try:
            await owner.note_breaches.remote(breaches)
        except RayError as error:
            _log.info("test %s: %s", self._test_id, error)
            return
        self._noted |= {(result.metric, result.expression) for result in breaches.results}

    def _show_new_seconds(self) -> bool:
        """Tell of the seconds that are complete; whether there were any."""
        aggregate, shares = self._intake.aggregate, self._intake.shares
        before = self._shown
        ready = max(aggregate.complete_second(shares), aggregate.last_second() - _LATEST_SECONDS)
        while self._shown < ready:
            self._shown += 1
            message = aggregate.metric_message(self._test_id, self._shown)
            message["warnings"] += self._intake.warnings()
            self._told.append(message)
            self._tell(message)
        aggregate.settle(shares)
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
