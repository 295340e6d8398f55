"""The whole test's metrics: merges the deltas of all hosts, each exactly once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fusillade.failures.sample import Sample
from fusillade.metrics.by_region import ByRegion
from fusillade.metrics.delta import Delta, decode
from fusillade.metrics.live import timestamp
from fusillade.metrics.measured import Measured
from fusillade.metrics.parts import Part, by_scenario
from fusillade.metrics.second import Second
from fusillade.metrics.selection import Selection
from fusillade.metrics.strain import Strain
from fusillade.metrics.summarize import summarize
from fusillade.metrics.summary import Summary, ThresholdResult
from fusillade.metrics.thresholds import Threshold

_RECENT_SECONDS = 5
"""So many of the newest complete seconds are kept open for the tail of a host's last second."""
_LONGEST_HOLE = 24 * 3600
"""A host that lies about the time does not fill the memory."""
_MOST_OPEN_SECONDS = 3600
"""A second that is older is settled although not all hosts have told of it. Each open one takes
18 kB."""


@dataclass(slots=True)
class _Source:
    """What has come from one host."""

    contiguous: int = 0
    """All deltas up to this number have been merged."""
    ahead: set[int] = field(default_factory=set)
    last_second: int = -1
    ended_at: float = 0.0
    """Seconds from the shared start to the end of what it measured."""
    active: dict[int, dict[str, int]] = field(default_factory=dict)
    """Workers by scenario in the latest seconds."""
    iterations: Counter[str] = field(default_factory=Counter)
    """Those that have ended, by scenario."""
    is_retired: bool = False

    def add_active(self, delta: Delta, second: Second, region: str | None) -> None:
        """Count its workers in a second once."""
        # The last delta may tell of a second that has been told of: it finds nobody at work.
        told = self.active.setdefault(delta.second, {})
        for scenario, count in delta.active_workers.items():
            more = count - told.get(scenario, 0)
            if more > 0:
                second.active[scenario] += more
                if region is not None:
                    second.active_in[region] += more
                told[scenario] = count
        while len(self.active) > _RECENT_SECONDS:
            del self.active[min(self.active)]


class Aggregate:
    """Merged metrics of one test. Not thread-safe: one owner, the MetricsAggregator."""

    def __init__(self, thresholds: Sequence[Threshold] = (), regions: Sequence[str] = ()) -> None:
        """``regions``: of each share of the load; empty for a load that has none."""
        self._by_region = ByRegion(regions)
        self._shares = len(regions)
        self._measured = Measured()
        self._strain = Strain()
        self._thresholds = [
            (threshold, Selection(threshold, self._measured)) for threshold in thresholds
        ]
        self._sources: dict[int, _Source] = {}
        self._reached: Counter[int] = Counter()
        """How many sources have told of each second last."""
        self._seconds: dict[int, Second] = {}
        self._in_order: list[tuple[int, Second]] = []
        self._settled = -1
        self.failures = Sample()
        """Requests that failed, of those that the hosts have told of."""
        self.merged = 0
        """How many deltas have been merged."""

    @property
    def shares(self) -> int:
        """Of the load; 0 for one that has none."""
        return self._shares

    def merge(self, source: int, payload: bytes) -> int:
        """Merge one encoded delta of host ``source`` (its share index).

        A number that has been merged before changes nothing. Returns the number up to which all
        deltas of this host have come: the host may forget those.
        Raises ``msgspec.MsgspecError`` when it is not a delta.
        """
        delta = decode(payload)
        known = self._sources.get(source)
        if known is None:
            known = self._sources[source] = _Source()
            self._reached[-1] += 1
        if delta.number <= known.contiguous or delta.number in known.ahead:
            return known.contiguous
        second = self._seconds.get(delta.second)
        if second is None:
            second = self._seconds[delta.second] = Second()
        region = self._by_region.of(source)
        self._measured.add(delta, second, self._by_region.tallies(region, second))
        self.merged += 1
        for record in delta.failures:
            self.failures.add(record)
        known.iterations.update(self._measured.iterations(delta))
        known.ahead.add(delta.number)
        while known.contiguous + 1 in known.ahead:
            known.contiguous += 1
            known.ahead.discard(known.contiguous)
        known.ended_at = max(known.ended_at, delta.second + delta.seconds)
        known.add_active(delta, second, region)
        self._strain.add(source, delta.second, delta.pressure)
        if delta.second > known.last_second and not known.is_retired:
            self._reached[known.last_second] -= 1
            self._reached[delta.second] += 1
            if not self._reached[known.last_second]:
                del self._reached[known.last_second]
            known.last_second = delta.second
        return known.contiguous

    def acknowledged(self, source: int) -> int:
        """The number up to which all deltas of this host have come; 0 for none."""
        return self._sources[source].contiguous if source in self._sources else 0

    def ended_at(self, source: int) -> float:
        """The end of what this host has told of, in seconds from the shared start."""
        return self._sources[source].ended_at if source in self._sources else 0.0

    def iterations(self, source: int) -> Counter[str]:
        """The iterations that have ended on this host, as it has told, by scenario."""
        return self._sources[source].iterations if source in self._sources else Counter()

    def retire(self, source: int) -> None:
        """This host will tell of no more seconds: nobody waits for it."""
        known = self._sources.get(source)
        if known is None or known.is_retired:
            return
        known.is_retired = True
        self._reached[known.last_second] -= 1
        if not self._reached[known.last_second]:
            del self._reached[known.last_second]

    def settle(self, sources: int) -> None:
        """Give memory back for seconds that all of the test's ``sources`` hosts have told of, and
        for those that are long over."""
        last = max(self.complete_second(sources), self.last_second() - _MOST_OPEN_SECONDS)
        for number in range(self._settled + 1, last - _RECENT_SECONDS):
            second = self._seconds.get(number)
            if second is not None:
                second.settle()
            self._settled = number

    # ---- while it runs ---------------------------------------------------------------------

    def complete_second(self, sources: int) -> int:
        """The last second that all of the test's ``sources`` hosts have reported; -1 for none."""
        if self._reached.total() < sources:
            return -1
        return min(self._reached)

    def last_second(self) -> int:
        """The last second that any host has reported; -1 for none."""
        return max(self._reached, default=-1)

    def threshold_results(self, elapsed_seconds: float) -> list[ThresholdResult]:
        """All thresholds over everything so far, in their order."""
        seconds = self._sorted_seconds()
        return [selection.evaluate(elapsed_seconds, seconds) for _, selection in self._thresholds]

    def crossed(self, elapsed_seconds: float) -> list[ThresholdResult]:
        """Thresholds that do not hold now, without those that only the end can tell of, and not
        before their ``delayAbortEval``."""
        results = [
            selection.evaluate(elapsed_seconds, self._sorted_seconds())
            for threshold, selection in self._thresholds
            if elapsed_seconds >= threshold.abort_delay_seconds and not threshold.counts_to_the_end
        ]
        return [result for result in results if not result.ok]

    def reason_to_abort(self, elapsed_seconds: float) -> str | None:
        """The first threshold that is crossed and ends the test, as a sentence."""
        for threshold, selection in self._thresholds:
            if threshold.abort and elapsed_seconds >= threshold.abort_delay_seconds:
                result = selection.evaluate(elapsed_seconds, self._sorted_seconds())
                if not result.ok:
                    return (
                        f"The threshold {threshold.metric}: {threshold.expression} was crossed "
                        f"({threshold.aggregation} was {result.value:g})."
                    )
        return None

    def warnings(self) -> list[str]:
        """In what the generator was the limit so far, in sentences."""
        begun = int(self._measured.amounts()["iterations"])
        if self._shares:
            return self._strain.warnings("WorkerActor", self._shares, begun)
        return self._strain.warnings("Script host", len(self._sources), begun)

    def saturated_shares(self, second: int, seconds: int) -> int:
        """How many shares could not keep up in the ``seconds`` up to this one."""
        return self._strain.saturated(self._shares, second, seconds)

    def parts_by_region(self, second: int) -> Iterator[tuple[str, Part]]:
        """The run so far by region, with the workers of this second."""
        point = self._seconds.get(second) or Second()
        return self._by_region.parts(self._measured.whole, point)

    def parts_by_scenario(self, second: int) -> Iterator[tuple[str, Part]]:
        """The run so far by scenario, with the workers of this second."""
        return by_scenario(self._measured, self._seconds.get(second) or Second())

    def metric_message(self, test_id: str, second: int) -> dict[str, Any]:
        """The WebSocket's ``metric`` message: this second, and the run so far."""
        point = self._seconds.get(second) or Second()
        elapsed = second + 1
        measured, whole = self._measured, self._measured.whole
        checks = measured.all_checks()
        (p95,) = whole.quantiles([0.95])
        return {
            "type": "metric",
            "test_id": test_id,
            "timestamp": timestamp(),
            "elapsed_seconds": elapsed,
            **point.describe(),
            "total_requests": whole.count,
            "errors": whole.failed,
            "iterations": int(measured.amounts()["iterations"]),
            "data_sent_bytes": whole.sent,
            "data_received_bytes": whole.received,
            "checks": {
                "passes": sum(passes for _, passes, _ in checks),
                "fails": sum(fails for _, _, fails in checks),
            },
            "warnings": self.warnings(),
            "total": {
                "rps": round(whole.count / elapsed, 3),
                "avg_latency_ms": round(whole.average, 3),
                "p95_latency_ms": round(p95, 3),
                "error_rate": round(whole.error_rate, 6),
            },
            "thresholds": [
                msgspec.to_builtins(result) for result in self.threshold_results(elapsed)
            ],
            "by_region": self._by_region.live(whole, point),
        }

    def series_points(self, after: int = -1) -> list[dict[str, Any]]:
        """One point for each second later than ``after``, in order, as it is stored with the
        test. Of a second of which nobody has told, all numbers are 0."""
        points: list[dict[str, Any]] = []
        expected, nothing = 0, Second()
        for number, second in self._sorted_seconds():
            missing = range(max(expected, number - _LONGEST_HOLE), number)
            points += [nothing.point(one) for one in missing if one > after]
            if number > after:
                points.append(second.point(number))
            expected = number + 1
        return points

    def _sorted_seconds(self) -> list[tuple[int, Second]]:
        if len(self._in_order) != len(self._seconds):
            self._in_order = sorted(self._seconds.items())
        return self._in_order

    # ---- at the end ------------------------------------------------------------------------

    def summary(self) -> Summary:
        """Everything so far; counts are exact for all deltas that were merged."""
        seconds = max((source.ended_at for source in self._sources.values()), default=0.0)
        return summarize(
            self._measured,
            self._sorted_seconds(),
            seconds,
            self.threshold_results(seconds),
            self._by_region.results(self._measured.whole, seconds),
            self.warnings(),
        )
