"""The whole test's metrics: merges the deltas of all hosts, each exactly once."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fusillade.metrics.delta import Delta, SeriesDelta, ValueDelta, decode
from fusillade.metrics.histogram import Histogram
from fusillade.metrics.live import timestamp
from fusillade.metrics.selection import Selection
from fusillade.metrics.summary import (
    CheckResult,
    Distribution,
    Endpoint,
    Summary,
    ThresholdResult,
)
from fusillade.metrics.thresholds import Threshold


@dataclass(slots=True)
class _Source:
    """What has come from one host."""

    contiguous: int = 0
    """All deltas up to this number have been merged."""
    ahead: set[int] = field(default_factory=set)
    last_second: int = -1
    ended_at: float = 0.0
    """Seconds from the shared start to the end of what it measured."""


@dataclass(slots=True)
class _Requests:
    """Totals of some requests."""

    duration: Histogram = field(default_factory=Histogram)
    failed: int = 0
    sent: int = 0
    received: int = 0
    reused: int = 0
    new: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def merge(self, delta: SeriesDelta) -> None:
        self.duration.merge(delta.duration)
        self.failed += delta.failed
        self.sent += delta.bytes_sent
        self.received += delta.bytes_received
        self.reused += delta.reused_connections
        self.new += delta.new_connections
        for status, count in delta.statuses.items():
            self.statuses[status] += count
        for error, count in delta.errors.items():
            self.errors[error] += count

    def add_traffic(self, metric: str, amount: int) -> None:
        """Bytes that belong to no request; ``metric`` is data_sent or data_received."""
        if metric == "data_sent":
            self.sent += amount
        else:
            self.received += amount

    @property
    def count(self) -> int:
        return self.duration.count

    @property
    def error_rate(self) -> float:
        return self.failed / self.count if self.count else 0.0


@dataclass(slots=True)
class _Second:
    """One second of the run over all hosts."""

    requests: _Requests = field(default_factory=_Requests)
    active: dict[int, int] = field(default_factory=dict)
    iterations: int = 0
    passes: int = 0
    fails: int = 0


@dataclass(slots=True)
class _Metric:
    """All values of a metric that is not a request's."""

    kind: str
    values: Histogram = field(default_factory=Histogram)
    last: float = 0.0
    last_second: int = -1


class Aggregate:
    """Merged metrics of one test. Not thread-safe: one owner, the MetricsAggregator."""

    def __init__(self, thresholds: Sequence[Threshold] = ()) -> None:
        self._thresholds = [
            (threshold, Selection(threshold.name, threshold.tags)) for threshold in thresholds
        ]
        self._sources: dict[int, _Source] = defaultdict(_Source)
        self._total = _Requests()
        self._endpoints: dict[tuple[str, str], _Requests] = defaultdict(_Requests)
        self._phases: dict[str, Histogram] = defaultdict(Histogram)
        self._checks: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._counters: Counter[str] = Counter()
        self._metrics: dict[str, _Metric] = {}
        self._seconds: dict[int, _Second] = defaultdict(_Second)

    def merge(self, source: int, payload: bytes) -> int:
        """Merge one encoded delta of host ``source`` (its share index).

        A number that has been merged before changes nothing. Returns the number up to which all
        deltas of this host have come: the host may forget those.
        Raises ``msgspec.MsgspecError`` when it is not a delta.
        """
        delta = decode(payload)
        known = self._sources[source]
        if delta.number <= known.contiguous or delta.number in known.ahead:
            return known.contiguous
        known.ahead.add(delta.number)
        while known.contiguous + 1 in known.ahead:
            known.contiguous += 1
            known.ahead.discard(known.contiguous)
        known.last_second = max(known.last_second, delta.second)
        known.ended_at = max(known.ended_at, delta.second + delta.seconds)
        self._add(source, delta)
        return known.contiguous

    def acknowledged(self, source: int) -> int:
        """The number up to which all deltas of this host have come; 0 for none."""
        return self._sources[source].contiguous if source in self._sources else 0

    def _add(self, source: int, delta: Delta) -> None:
        for _, selection in self._thresholds:
            selection.merge(delta, source)
        second = self._seconds[delta.second]
        # The last delta may tell of a second that has been told of: it finds nobody at work.
        active = sum(delta.active_workers.values())
        second.active[source] = max(active, second.active.get(source, 0))
        for series in delta.series:
            self._total.merge(series)
            second.requests.merge(series)
            name = (series.tags.get("name", ""), series.tags.get("method", ""))
            self._endpoints[name].merge(series)
        for phase in delta.phases:
            self._phases[phase.phase].merge(phase.values)
        for check in delta.checks:
            counts = self._checks[check.name, check.tags.get("group", "")]
            counts[0] += check.passes
            counts[1] += check.fails
            second.passes += check.passes
            second.fails += check.fails
        for counter in delta.counters:
            amount = counter.amount
            if counter.metric in ("data_sent", "data_received"):
                # Of connections that are no requests.
                for requests in (self._total, second.requests):
                    requests.add_traffic(counter.metric, int(amount))
                continue
            self._counters[counter.metric] += int(amount) if amount.is_integer() else amount  # type: ignore[assignment]
            if counter.metric == "iterations":
                second.iterations += int(amount)
        for values in delta.values:
            self._add_values(delta.second, values)

    def _add_values(self, second: int, values: ValueDelta) -> None:
        metric = self._metrics.get(values.metric)
        if metric is None:
            metric = self._metrics[values.metric] = _Metric(values.kind)
        metric.values.merge(values.values)
        if second >= metric.last_second:
            metric.last = values.last
            metric.last_second = second

    # ---- while it runs ---------------------------------------------------------------------

    def complete_second(self, sources: int) -> int:
        """The last second that all of the test's ``sources`` hosts have reported; -1 for none."""
        if len(self._sources) < sources:
            return -1
        return min(source.last_second for source in self._sources.values())

    def last_second(self) -> int:
        """The last second that any host has reported; -1 for none."""
        return max((source.last_second for source in self._sources.values()), default=-1)

    def threshold_results(self, elapsed_seconds: float) -> list[ThresholdResult]:
        """All thresholds over everything so far, in their order."""
        return [
            selection.evaluate(threshold, elapsed_seconds)
            for threshold, selection in self._thresholds
        ]

    def crossed(self, elapsed_seconds: float) -> list[ThresholdResult]:
        """Thresholds that do not hold now, without those that only the end can tell of, and not
        before their ``delayAbortEval``."""
        results = [
            selection.evaluate(threshold, elapsed_seconds)
            for threshold, selection in self._thresholds
            if elapsed_seconds >= threshold.abort_delay_seconds and not threshold.counts_to_the_end
        ]
        return [result for result in results if not result.ok]

    def reason_to_abort(self, elapsed_seconds: float) -> str | None:
        """The first threshold that is crossed and ends the test, as a sentence."""
        for threshold, selection in self._thresholds:
            if threshold.abort and elapsed_seconds >= threshold.abort_delay_seconds:
                result = selection.evaluate(threshold, elapsed_seconds)
                if not result.ok:
                    return (
                        f"The threshold {threshold.metric}: {threshold.expression} was crossed "
                        f"({threshold.aggregation} was {result.value:g})."
                    )
        return None

    def metric_message(self, test_id: str, second: int) -> dict[str, Any]:
        """The WebSocket's ``metric`` message: this second, and the run so far."""
        point = self._seconds.get(second) or _Second()
        elapsed = second + 1
        checks = [sum(counts[i] for counts in self._checks.values()) for i in (0, 1)]
        (p95,) = self._total.duration.quantiles([0.95])
        return {
            "type": "metric",
            "test_id": test_id,
            "timestamp": timestamp(),
            "elapsed_seconds": elapsed,
            **_describe(point),
            "total_requests": self._total.count,
            "errors": self._total.failed,
            "iterations": int(self._counters["iterations"]),
            "data_sent_bytes": self._total.sent,
            "data_received_bytes": self._total.received,
            "checks": {"passes": checks[0], "fails": checks[1]},
            "total": {
                "rps": round(self._total.count / elapsed, 3),
                "avg_latency_ms": round(self._total.duration.average, 3),
                "p95_latency_ms": round(p95, 3),
                "error_rate": round(self._total.error_rate, 6),
            },
            "thresholds": [
                msgspec.to_builtins(result) for result in self.threshold_results(elapsed)
            ],
        }

    def series_points(self) -> list[dict[str, Any]]:
        """One point a second, in order, as it is stored with the test."""
        return [
            {
                "second": second,
                **_describe(point),
                "requests": point.requests.count,
                "errors": point.requests.failed,
                "iterations": point.iterations,
                "data_sent_bytes": point.requests.sent,
                "data_received_bytes": point.requests.received,
                "checks": {"passes": point.passes, "fails": point.fails},
            }
            for second, point in sorted(self._seconds.items())
        ]

    # ---- at the end ------------------------------------------------------------------------

    def summary(self) -> Summary:
        """Everything so far; counts are exact for all deltas that were merged."""
        total = self._total
        seconds = max((source.ended_at for source in self._sources.values()), default=0.0)
        whole = Distribution.of(total.duration)
        counters = dict(self._counters)
        known = [
            int(counters.pop(name, 0))
            for name in (
                "iterations",
                "failed_iterations",
                "interrupted_iterations",
                "dropped_iterations",
            )
        ]
        active = [sum(point.active.values()) for _, point in sorted(self._seconds.items())]
        metrics: dict[str, Distribution | float] = {
            "vus": active[-1] if active else 0,
            "pool_hits": total.reused,
            "pool_misses": total.new,
            **counters,
        }
        for name, metric in self._metrics.items():
            match metric.kind:
                case "rate":
                    metrics[name] = metric.values.average
                case "gauge":
                    metrics[name] = metric.last
                case _:
                    metrics[name] = Distribution.of(metric.values)
        return Summary(
            total_requests=total.count,
            failed_requests=total.failed,
            error_rate=round(total.error_rate, 6),
            rps=round(total.count / seconds, 3) if seconds else 0.0,
            avg_latency_ms=whole.avg,
            min_latency_ms=whole.min,
            med_latency_ms=whole.med,
            p90_latency_ms=whole.p90,
            p95_latency_ms=whole.p95,
            p99_latency_ms=whole.p99,
            max_latency_ms=whole.max,
            data_sent_bytes=total.sent,
            data_received_bytes=total.received,
            duration_seconds=round(seconds, 3),
            iterations=known[0],
            failed_iterations=known[1],
            interrupted_iterations=known[2],
            dropped_iterations=known[3],
            max_workers=max(active, default=0),
            reused_connections=total.reused,
            new_connections=total.new,
            status_codes=_as_text(total.statuses),
            errors=dict(total.errors),
            checks=[
                CheckResult(name=name, group=group, passes=counts[0], fails=counts[1])
                for (name, group), counts in sorted(self._checks.items())
            ],
            phases={phase: Distribution.of(values) for phase, values in self._phases.items()},
            endpoints=[
                _endpoint(name, method, requests)
                for (name, method), requests in sorted(self._endpoints.items())
            ],
            metrics=metrics,
            metric_kinds=dict.fromkeys(metrics, "counter")
            | {"vus": "gauge"}
            | {name: metric.kind for name, metric in self._metrics.items()},
            thresholds=self.threshold_results(seconds),
        )


def _describe(point: _Second) -> dict[str, Any]:
    """A second's own numbers, the same in live messages and in the stored series."""
    requests = point.requests
    p50, p95, p99 = requests.duration.quantiles([0.5, 0.95, 0.99])
    return {
        "active_workers": sum(point.active.values()),
        "rps": requests.count,
        "avg_latency_ms": round(requests.duration.average, 3),
        "p50_latency_ms": round(p50, 3),
        "p95_latency_ms": round(p95, 3),
        "p99_latency_ms": round(p99, 3),
        "error_rate": round(requests.error_rate, 6),
    }


def _endpoint(name: str, method: str, requests: _Requests) -> Endpoint:
    spread = Distribution.of(requests.duration)
    return Endpoint(
        name=name,
        method=method,
        count=requests.count,
        errors=requests.failed,
        avg=spread.avg,
        p50=spread.med,
        p90=spread.p90,
        p95=spread.p95,
        p99=spread.p99,
        min=spread.min,
        max=spread.max,
        status_codes=_as_text(requests.statuses),
    )


def _as_text(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(statuses.items())}
