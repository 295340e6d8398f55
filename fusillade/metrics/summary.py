"""The result of a run, as it is stored and as the REST API shows it. Times in milliseconds."""

import msgspec

from fusillade.metrics.histogram import Histogram
from fusillade.metrics.losses import Loss

PERCENTILES = (
    *(0.0, 10.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0),
    *(90.0, 92.5, 95.0, 97.5, 98.0, 98.5, 99.0, 99.25, 99.5, 99.75),
    *(99.9, 99.95, 99.99, 99.995, 99.999),
)
"""Of all requests; the closer, the nearer to the slowest."""


class Distribution(msgspec.Struct, frozen=True):
    """A histogram in a few numbers."""

    count: int
    avg: float
    min: float
    med: float
    p90: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, histogram: Histogram) -> "Distribution":
        """All zero for an empty histogram."""
        med, p90, p95, p99 = histogram.quantiles([0.5, 0.9, 0.95, 0.99])
        filled = histogram.count > 0
        return cls(
            count=histogram.count,
            avg=_rounded(histogram.average),
            min=_rounded(histogram.lowest) if filled else 0.0,
            med=_rounded(med),
            p90=_rounded(p90),
            p95=_rounded(p95),
            p99=_rounded(p99),
            max=_rounded(histogram.highest) if filled else 0.0,
        )


class Endpoint(msgspec.Struct, frozen=True):
    """Requests of one metric name."""

    name: str
    method: str
    count: int
    errors: int
    avg: float
    p50: float
    p90: float
    p95: float
    p99: float
    min: float
    max: float
    status_codes: dict[str, int]


class RegionResult(msgspec.Struct, frozen=True):
    """Requests from one of the test's regions. ``rps`` is a second, times are in milliseconds."""

    region: str
    requests: int
    errors: int
    error_rate: float
    rps: float
    avg: float
    p50: float
    p95: float
    p99: float


class LatencyPercentile(msgspec.Struct, frozen=True):
    """This share of the requests, of 100, was answered within ``latency_ms``."""

    percentile: float
    latency_ms: float

    @classmethod
    def of(cls, histogram: Histogram) -> "list[LatencyPercentile]":
        """From the fastest (0) to the slowest (100); of those near 100 only such as leave out at
        least one value: the others are the slowest again. Empty for an empty histogram."""
        if not histogram.count:
            return []
        shown = [one for one in PERCENTILES if round((100 - one) * histogram.count, 6) >= 100]
        values = histogram.quantiles([round(one / 100, 8) for one in (*shown, 100.0)])
        return [
            cls(percentile=one, latency_ms=_rounded(value))
            for one, value in zip((*shown, 100.0), values, strict=True)
        ]


class CheckResult(msgspec.Struct, frozen=True):
    """One check of one group."""

    name: str
    group: str
    passes: int
    fails: int


class ThresholdResult(msgspec.Struct, frozen=True):
    """One threshold at the end."""

    metric: str
    expression: str
    value: float | None
    """None when the metric has no values."""
    ok: bool


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a run at its end. Rates are per second, shares between 0 and 1."""

    total_requests: int
    failed_requests: int
    error_rate: float
    rps: float
    avg_latency_ms: float
    min_latency_ms: float
    med_latency_ms: float
    p90_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    max_latency_ms: float
    data_sent_bytes: int
    data_received_bytes: int
    duration_seconds: float
    """From the shared start to the end of the last second that was measured."""
    iterations: int
    failed_iterations: int
    interrupted_iterations: int
    dropped_iterations: int
    max_workers: int
    reused_connections: int
    new_connections: int
    status_codes: dict[str, int]
    errors: dict[str, int]
    checks: list[CheckResult]
    phases: dict[str, Distribution]
    endpoints: list[Endpoint]
    metrics: dict[str, Distribution | float]
    """The author's metrics and the engine's own (``iteration``, ...); counters and rates as
    numbers."""
    metric_kinds: dict[str, str] = {}
    """Of each of them: ``histogram``, ``counter``, ``gauge`` or ``rate``."""
    thresholds: list[ThresholdResult] = []
    by_region: list[RegionResult] = []
    """Empty where the test ran in no region."""
    latency_percentiles: list[LatencyPercentile] = []
    """How the latencies of all requests are spread; empty without requests."""
    warnings: list[str] = []
    """In what the generator, not the target, was the limit, and what of it was lost; in
    sentences."""
    losses: list[Loss] = []
    """When shares of the load did not run, because the WorkerActor that ran them was gone."""


def _rounded(milliseconds: float) -> float:
    return round(milliseconds, 3)
