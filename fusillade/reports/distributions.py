"""All of a summary's distributions in one list."""

from fusillade.metrics.requests import metric_of
from fusillade.metrics.summary import Distribution, Summary
from fusillade.reports import numbers

_DURATIONS = frozenset(
    {
        "iteration",
        "iteration_total",
        "iteration_duration",
        "group_duration",
        "ws_connecting",
        "ws_session_duration",
    }
)


def distributions(summary: Summary) -> list[tuple[str, Distribution]]:
    """Those that have values: the requests' first, then the phases', then other metrics'."""
    whole = Distribution(
        count=summary.total_requests,
        avg=summary.avg_latency_ms,
        min=summary.min_latency_ms,
        med=summary.med_latency_ms,
        p90=summary.p90_latency_ms,
        p95=summary.p95_latency_ms,
        p99=summary.p99_latency_ms,
        max=summary.max_latency_ms,
    )
    found = [("http_req_duration", whole)]
    found += [(metric_of(phase), spread) for phase, spread in summary.phases.items()]
    found += [
        (name, value) for name, value in summary.metrics.items() if isinstance(value, Distribution)
    ]
    return [
        (name, spread) for name, spread in found if spread.count and _says_something(name, spread)
    ]


def _says_something(metric: str, spread: Distribution) -> bool:
    """A phase that no request had (TLS without TLS) is left out."""
    return spread.max > 0 or not metric.startswith("http_req_")


def is_duration(metric: str) -> bool:
    """Whether the metric is one of the engine's own, in milliseconds."""
    return metric.startswith("http_req_") or metric in _DURATIONS


def show_value(metric: str, value: float) -> str:
    """One of its values: a duration with its unit, the author's own as a bare number."""
    return numbers.milliseconds(value) if is_duration(metric) else numbers.count(value)
