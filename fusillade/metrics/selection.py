"""What a threshold looks at: all values of one metric that carry certain tags."""

from collections.abc import Mapping, Sequence

from fusillade.metrics.histogram import Histogram
from fusillade.metrics.measured import Measured
from fusillade.metrics.requests import PHASES, metric_of
from fusillade.metrics.second import Second
from fusillade.metrics.summary import ThresholdResult
from fusillade.metrics.tally import COUNT, FAILED, NEW, RECEIVED, REUSED, SENT
from fusillade.metrics.thresholds import Threshold

_PHASE_OF = {metric_of(phase): phase for phase in PHASES}
_SAME = {"iteration_duration": "iteration_total"}
"""k6's names for metrics of ours."""
_OF_REQUESTS = {
    "http_reqs": COUNT,
    "http_req_failed": FAILED,
    "data_sent": SENT,
    "data_received": RECEIVED,
    "pool_hits": REUSED,
    "pool_misses": NEW,
}
"""Metrics that are a sum over requests."""


class Selection:
    """Values of the metric of a threshold whose tags include the threshold's."""

    def __init__(self, threshold: Threshold, measured: Measured) -> None:
        self._threshold = threshold
        self._measured = measured
        self._name = _SAME.get(threshold.name, threshold.name)
        self._tags = dict(threshold.tags)
        self._rows: list[int] = []
        """Of the table that has the metric: those that match."""
        self._looked_at = 0
        """How many rows of it have been looked at."""

    def evaluate(
        self, elapsed_seconds: float, seconds: Sequence[tuple[int, Second]]
    ) -> ThresholdResult:
        """The threshold after so much of the run; one without values to look at holds.
        ``seconds``: all that have been told of, in order."""
        value = self._value(elapsed_seconds, seconds)
        return ThresholdResult(
            metric=self._threshold.metric,
            expression=self._threshold.expression,
            value=None if value is None else round(value, 6),
            ok=value is None or self._threshold.holds(value),
        )

    def _value(self, elapsed_seconds: float, seconds: Sequence[tuple[int, Second]]) -> float | None:
        measured = self._measured
        match self._name:
            case "http_req_duration":
                return self._of_values(measured.requests.histogram(self._of_requests()), 0.0)
            case "http_req_failed":
                sums = measured.requests.sums(self._of_requests())
                return self._of_rate(sums[FAILED], sums[COUNT])
            case name if name in _OF_REQUESTS:
                # With the traffic of connections that are no requests.
                amount = measured.requests.sums(self._of_requests())[_OF_REQUESTS[name]]
                return self._of_counter(amount + sum(self._counted()), elapsed_seconds)
            case "vus":
                return self._of_active(elapsed_seconds, seconds)
            case "checks":
                counts = [
                    (passes, fails)
                    for name, passes, fails in measured.all_checks()
                    if self._matches(name.tags | {"check": name.metric})
                ]
                passes = sum(one[0] for one in counts)
                return self._of_rate(passes, passes + sum(one[1] for one in counts))
        return self._of_others(elapsed_seconds)

    def _of_others(self, elapsed_seconds: float) -> float | None:
        table = self._measured.values
        name, kind = self._name, None
        if name in _PHASE_OF:
            name, kind = _PHASE_OF[name], "phase"
        for row in range(self._looked_at, len(table.names)):
            found = table.names[row]
            of_kind = found.kind == "phase" if kind else found.kind != "phase"
            if found.metric == name and of_kind and self._matches(found.tags):
                self._rows.append(row)
        self._looked_at = len(table.names)
        if not self._rows:
            amounts = self._counted()
            if amounts:
                return self._of_counter(sum(amounts), elapsed_seconds)
            return 0.0 if self._threshold.aggregation == "count" else None
        values = table.histogram(self._rows)
        if table.names[self._rows[0]].kind == "rate":
            return self._of_rate(values.total, values.count)
        last = max(self._measured.last[row] for row in self._rows)
        return self._of_values(values, last[1])

    def _of_active(
        self, elapsed_seconds: float, seconds: Sequence[tuple[int, Second]]
    ) -> float | None:
        # A second that has not ended may still miss some of the hosts.
        totals = [
            float(
                sum(
                    count
                    for scenario, count in second.active.items()
                    if self._matches({"scenario": scenario})
                )
            )
            for number, second in seconds
            if number < elapsed_seconds
        ]
        return self._of_values(Histogram.of(totals), totals[-1] if totals else 0.0)

    def _of_counter(self, amount: float, elapsed_seconds: float) -> float:
        if self._threshold.aggregation == "rate":
            return amount / elapsed_seconds if elapsed_seconds else 0.0
        return float(amount)

    def _of_rate(self, trues: float, count: float) -> float | None:
        if self._threshold.aggregation == "count":
            return float(trues)
        return float(trues / count) if count else None

    def _of_values(self, values: Histogram, last: float) -> float | None:
        if self._threshold.aggregation == "count":
            return float(values.count)
        if not values.count:
            return None
        match self._threshold.aggregation:
            case "value":
                return last
            case "avg" | "rate":
                return values.average
            case "min":
                return values.lowest
            case "max":
                return values.highest
            case "med":
                return values.quantiles([0.5])[0]
        return values.quantiles([self._threshold.quantile])[0]

    def _of_requests(self) -> list[int]:
        """The matching rows of requests."""
        names = self._measured.requests.names
        self._rows += [
            row for row in range(self._looked_at, len(names)) if self._matches(names[row])
        ]
        self._looked_at = len(names)
        return self._rows

    def _counted(self) -> list[float]:
        """The matching counters."""
        measured = self._measured
        return [
            amount
            for encoded, amount in measured.counters.items()
            if (name := measured.names[encoded]).metric == self._name and self._matches(name.tags)
        ]

    def _matches(self, tags: Mapping[str, str]) -> bool:
        return all(tags.get(name) == value for name, value in self._tags.items())
