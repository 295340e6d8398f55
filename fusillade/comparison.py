"""A run beside a baseline: differences, and whether it has become worse.

A run has regressed if its p95 latency grew by more than 10 %, or its error rate by more than half a
percentage point (REST API reference, "Regression detection rules").
"""

from typing import Any

import msgspec

MOST_P95_INCREASE = 0.10
MOST_ERROR_RATE_INCREASE = 0.005
# Differences of decimals such as 0.006 - 0.001 are not quite decimals.
_DIGITS = 9


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What two runs are compared by. Shares are between 0 and 1, rates per second."""

    name: str
    status: str
    workers: int
    duration_seconds: int
    region: str
    avg_latency_ms: float
    p95_latency_ms: float
    error_rate: float
    rps: float
    total_requests: int


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """Current minus baseline."""

    avg_latency_ms: float
    p95_latency_ms: float
    error_rate: float
    rps: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs, their difference, and the verdict with its reasons as sentences."""

    baseline: Result
    current: Result
    delta: Delta
    regression: bool
    regression_reasons: list[str]


def compare(baseline: Result, current: Result) -> Comparison:
    """Compare a run with a baseline."""
    delta = Delta(
        avg_latency_ms=_difference(current.avg_latency_ms, baseline.avg_latency_ms),
        p95_latency_ms=_difference(current.p95_latency_ms, baseline.p95_latency_ms),
        error_rate=_difference(current.error_rate, baseline.error_rate),
        rps=_difference(current.rps, baseline.rps),
    )
    reasons = []
    if baseline.p95_latency_ms > 0:
        increase = round(delta.p95_latency_ms / baseline.p95_latency_ms, _DIGITS)
        if increase > MOST_P95_INCREASE:
            reasons.append(f"p95 latency increased {increase * 100:.1f}%")
    if delta.error_rate > MOST_ERROR_RATE_INCREASE:
        points = delta.error_rate * 100
        reasons.append(f"error rate increased {points:.1f} percentage points")
    return Comparison(
        baseline=baseline,
        current=current,
        delta=delta,
        regression=bool(reasons),
        regression_reasons=reasons,
    )


def _difference(current: float, baseline: float) -> float:
    return round(current - baseline, _DIGITS)


def result_of(row: Any) -> Result:
    """What is compared of a stored test that has results."""
    summary = row.summary
    return Result(
        name=row.name,
        status=row.status,
        workers=row.workers,
        duration_seconds=row.duration_seconds,
        region=row.region,
        **{
            name: summary[name]
            for name in ("avg_latency_ms", "p95_latency_ms", "error_rate", "rps", "total_requests")
        },
    )
