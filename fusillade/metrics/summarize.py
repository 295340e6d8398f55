"""The result of a run, from all that has been measured."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from fusillade.metrics.histogram import Histogram
from fusillade.metrics.measured import Measured
from fusillade.metrics.second import Second
from fusillade.metrics.summary import (
    CheckResult,
    Distribution,
    Endpoint,
    LatencyPercentile,
    RegionResult,
    Summary,
    ThresholdResult,
)
from fusillade.metrics.tally import FAILED, NEW, REUSED

_ITERATIONS = (
    "iterations",
    "failed_iterations",
    "interrupted_iterations",
    "dropped_iterations",
)


def summarize(
    measured: Measured,
    seconds: Sequence[tuple[int, Second]],
    duration_seconds: float,
    thresholds: list[ThresholdResult],
    by_region: list[RegionResult],
    warnings: list[str],
) -> Summary:
    """Everything so far; ``seconds`` in order."""
    total = measured.whole
    latencies = total.histogram()
    whole = Distribution.of(latencies)
    counters = {
        metric: int(amount) if amount.is_integer() else amount
        for metric, amount in measured.amounts().items()
    }
    iterations = {name: int(counters.pop(name, 0)) for name in _ITERATIONS}
    active = [second.active.total() for _, second in seconds]
    reused, new = int(total.sums[REUSED]), int(total.sums[NEW])
    statuses: Counter[int] = Counter()
    for (_, status), count in measured.statuses.items():
        statuses[status] += count
    values, kinds = _values(measured)
    metrics: dict[str, Distribution | float] = {
        "vus": active[-1] if active else 0,
        "pool_hits": reused,
        "pool_misses": new,
        **counters,
        **values,
    }
    return Summary(
        total_requests=total.count,
        failed_requests=total.failed,
        error_rate=round(total.error_rate, 6),
        rps=round(total.count / duration_seconds, 3) if duration_seconds else 0.0,
        avg_latency_ms=whole.avg,
        min_latency_ms=whole.min,
        med_latency_ms=whole.med,
        p90_latency_ms=whole.p90,
        p95_latency_ms=whole.p95,
        p99_latency_ms=whole.p99,
        max_latency_ms=whole.max,
        data_sent_bytes=total.sent,
        data_received_bytes=total.received,
        duration_seconds=round(duration_seconds, 3),
        **iterations,
        max_workers=max(active, default=0),
        reused_connections=reused,
        new_connections=new,
        status_codes=_as_text(statuses),
        errors=dict(measured.errors),
        checks=_checks(measured),
        phases=_phases(measured),
        endpoints=_endpoints(measured),
        metrics=metrics,
        metric_kinds=dict.fromkeys(metrics, "counter") | {"vus": "gauge"} | kinds,
        thresholds=thresholds,
        by_region=by_region,
        latency_percentiles=LatencyPercentile.of(latencies),
        warnings=warnings,
        losses=[],
    )


def _checks(measured: Measured) -> list[CheckResult]:
    """By name and group."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for name, passes, fails in measured.all_checks():
        counts = found[name.metric, name.tags.get("group", "")]
        counts[0] += passes
        counts[1] += fails
    return [
        CheckResult(name=name, group=group, passes=passes, fails=fails)
        for (name, group), (passes, fails) in sorted(found.items())
    ]


def _phases(measured: Measured) -> dict[str, Distribution]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(measured.values.names):
        if name.kind == "phase":
            rows[name.metric].append(row)
    return {phase: Distribution.of(measured.values.histogram(of)) for phase, of in rows.items()}


def _values(measured: Measured) -> tuple[dict[str, Distribution | float], dict[str, str]]:
    """Each metric that has values, and its kind."""
    rows: dict[str, list[int]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for row, name in enumerate(measured.values.names):
        if name.kind != "phase":
            rows[name.metric].append(row)
            kinds.setdefault(name.metric, name.kind)
    found: dict[str, Distribution | float] = {}
    for metric, of in rows.items():
        match kinds[metric]:
            case "rate":
                found[metric] = measured.values.histogram(of).average
            case "gauge":
                found[metric] = max(measured.last[row] for row in of)[1]
            case _:
                found[metric] = Distribution.of(measured.values.histogram(of))
    return found, kinds


def _endpoints(measured: Measured) -> list[Endpoint]:
    """By metric name and method."""
    table = measured.requests
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, tags in enumerate(table.names):
        rows[tags.get("name", ""), tags.get("method", "")].append(row)
    statuses: dict[int, dict[int, int]] = defaultdict(dict)
    for (row, status), count in measured.statuses.items():
        statuses[row][status] = count
    found = []
    for (name, method), of in sorted(rows.items()):
        by_status: Counter[int] = Counter()
        for row in of:
            by_status.update(statuses[row])
        found.append(
            _endpoint(name, method, table.histogram(of), int(table.sums(of)[FAILED]), by_status)
        )
    return found


def _endpoint(
    name: str, method: str, durations: Histogram, failed: int, statuses: Counter[int]
) -> Endpoint:
    spread = Distribution.of(durations)
    return Endpoint(
        name=name,
        method=method,
        count=durations.count,
        errors=failed,
        avg=spread.avg,
        p50=spread.med,
        p90=spread.p90,
        p95=spread.p95,
        p99=spread.p99,
        min=spread.min,
        max=spread.max,
        status_codes=_as_text(statuses),
    )


def _as_text(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(statuses.items())}
