"""What a threshold looks at: all values of one metric that carry certain tags."""

from collections.abc import Mapping

from fusillade.metrics.delta import Delta
from fusillade.metrics.histogram import Histogram
from fusillade.metrics.requests import PHASES, metric_of
from fusillade.metrics.summary import ThresholdResult
from fusillade.metrics.thresholds import Threshold

_PHASE_OF = {metric_of(phase): phase for phase in PHASES}
_SAME = {"iteration_duration": "iteration_total"}
"""k6's names for metrics of ours."""
_OF_REQUESTS = (
    "http_reqs",
    "http_req_failed",
    "data_sent",
    "data_received",
    "pool_hits",
    "pool_misses",
)


class Selection:
    """Values of the metric ``name`` whose tags include ``tags``, merged from deltas."""

    def __init__(self, name: str, tags: Mapping[str, str]) -> None:
        self._name = _SAME.get(name, name)
        self._tags = dict(tags)
        self._values = Histogram()
        self._amount = 0.0
        """Sum of a counter; of a rate, how many were true."""
        self._of = 0
        """Of a rate: how many there were."""
        self._last = 0.0
        self._kind = "histogram"
        self._active: dict[int, dict[int, int]] = {}
        """Of ``vus``: workers by second and host."""

    def merge(self, delta: Delta, source: int = 0) -> None:
        """Add what matches. ``source``: the host that it comes from."""
        match self._name:
            case "http_req_duration":
                for series in delta.series:
                    if self._matches(series.tags):
                        self._values.merge(series.duration)
            case name if name in _OF_REQUESTS:
                self._merge_requests(delta)
            case "vus":
                self._merge_active(delta, source)
            case "checks":
                self._kind = "rate"
                for check in delta.checks:
                    if self._matches(check.tags | {"check": check.name}):
                        self._amount += check.passes
                        self._of += check.passes + check.fails
            case name if name in _PHASE_OF:
                for phase in delta.phases:
                    if phase.phase == _PHASE_OF[name] and self._matches(
                        {"scenario": phase.scenario}
                    ):
                        self._values.merge(phase.values)
            case _:
                self._merge_others(delta)

    def _merge_active(self, delta: Delta, source: int) -> None:
        self._kind = "gauge"
        count = sum(
            count
            for scenario, count in delta.active_workers.items()
            if self._matches({"scenario": scenario})
        )
        hosts = self._active.setdefault(delta.second, {})
        hosts[source] = max(count, hosts.get(source, 0))

    def _merge_requests(self, delta: Delta) -> None:
        self._kind = "rate" if self._name == "http_req_failed" else "counter"
        for series in delta.series:
            if not self._matches(series.tags):
                continue
            count = series.duration.count
            self._of += count
            self._amount += {
                "http_reqs": count,
                "http_req_failed": series.failed,
                "data_sent": series.bytes_sent,
                "data_received": series.bytes_received,
                "pool_hits": series.reused_connections,
                "pool_misses": series.new_connections,
            }[self._name]
        if self._kind == "counter":
            # The traffic of connections that are no requests.
            for counter in delta.counters:
                if counter.metric == self._name and self._matches(counter.tags):
                    self._amount += counter.amount

    def _merge_others(self, delta: Delta) -> None:
        for counter in delta.counters:
            if counter.metric == self._name and self._matches(counter.tags):
                self._kind = "counter"
                self._amount += counter.amount
        for values in delta.values:
            if values.metric == self._name and self._matches(values.tags):
                self._kind = values.kind
                self._values.merge(values.values)
                self._last = values.last

    def _matches(self, tags: Mapping[str, str]) -> bool:
        return all(tags.get(name) == value for name, value in self._tags.items())

    def evaluate(self, threshold: Threshold, elapsed_seconds: float) -> ThresholdResult:
        """The threshold after so much of the run; one without values to look at holds."""
        value = self._value(threshold, elapsed_seconds)
        return ThresholdResult(
            metric=threshold.metric,
            expression=threshold.expression,
            value=None if value is None else round(value, 6),
            ok=value is None or threshold.holds(value),
        )

    def _value(self, threshold: Threshold, elapsed_seconds: float) -> float | None:
        values = self._values
        if self._active:
            # A second that has not ended may still miss some of the hosts.
            totals = [
                float(sum(hosts.values()))
                for second, hosts in sorted(self._active.items())
                if second < elapsed_seconds
            ]
            values = Histogram.of(totals)
            self._last = totals[-1] if totals else 0.0
        if self._kind == "counter":
            if threshold.aggregation == "rate":
                return self._amount / elapsed_seconds if elapsed_seconds else 0.0
            return self._amount
        if self._kind == "rate":
            trues, count = self._amount, self._of
            if values.count:
                trues, count = values.average * values.count, values.count
            if threshold.aggregation == "count":
                return float(trues)
            return trues / count if count else None
        if threshold.aggregation == "count":
            return float(values.count)
        if not values.count:
            return None
        match threshold.aggregation:
            case "value":
                return self._last
            case "avg" | "rate":
                return values.average
            case "min":
                return values.lowest
            case "max":
                return values.highest
            case "med":
                return values.quantiles([0.5])[0]
        return values.quantiles([threshold.quantile])[0]
