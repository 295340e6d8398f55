"""What ``handleSummary(data)`` gets: the shape that k6 gives, and our own summary beside it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from fusillade.metrics.requests import metric_of
from fusillade.metrics.summary import CheckResult, Distribution, Summary

_TIMES = ("iteration", "iteration_total", "iteration_duration")


def summary_data(summary: Summary, options: Mapping[str, Any]) -> dict[str, Any]:
    """``metrics`` by name as ``{type, contains, values, thresholds}``, ``root_group`` with groups
    and checks, ``options``, ``state``, and ``summary``. Times in milliseconds."""
    metrics = _metrics(summary)
    for result in summary.thresholds:
        # A threshold with a filter has a metric of its own, as in k6; its value is all we know.
        metric = metrics.setdefault(
            result.metric, {"type": "trend", "contains": "default", "values": {}}
        )
        metric.setdefault("thresholds", {})[result.expression] = {"ok": result.ok}
        if "{" in result.metric and result.value is not None:
            metric["values"][result.expression] = result.value
    return {
        "metrics": metrics,
        "root_group": _groups(summary.checks),
        "options": dict(options),
        "state": {
            "isStdOutTTY": False,
            "isStdErrTTY": False,
            "testRunDurationMs": summary.duration_seconds * 1000,
        },
        "summary": msgspec.to_builtins(summary),
    }


def _metrics(summary: Summary) -> dict[str, dict[str, Any]]:
    seconds = summary.duration_seconds
    passes = sum(check.passes for check in summary.checks)
    fails = sum(check.fails for check in summary.checks)
    metrics = {
        "http_reqs": _counter(summary.total_requests, seconds),
        "http_req_failed": _rate(
            summary.failed_requests, summary.total_requests - summary.failed_requests
        ),
        "http_req_duration": _trend(
            Distribution(
                count=summary.total_requests,
                avg=summary.avg_latency_ms,
                min=summary.min_latency_ms,
                med=summary.med_latency_ms,
                p90=summary.p90_latency_ms,
                p95=summary.p95_latency_ms,
                p99=summary.p99_latency_ms,
                max=summary.max_latency_ms,
            ),
            "time",
        ),
        "data_sent": _counter(summary.data_sent_bytes, seconds, "data"),
        "data_received": _counter(summary.data_received_bytes, seconds, "data"),
        "iterations": _counter(summary.iterations, seconds),
        "dropped_iterations": _counter(summary.dropped_iterations, seconds),
        "vus_max": _gauge(summary.max_workers),
    }
    if passes + fails:
        metrics["checks"] = _rate(passes, fails)
    for phase, spread in summary.phases.items():
        metrics[metric_of(phase)] = _trend(spread, "time")
    for name, value in summary.metrics.items():
        metrics[name] = _other(summary.metric_kinds.get(name, "histogram"), name, value, seconds)
    if "iteration_total" in metrics:
        metrics["iteration_duration"] = metrics["iteration_total"]
    return metrics


def _other(kind: str, name: str, value: Distribution | float, seconds: float) -> dict[str, Any]:
    if isinstance(value, Distribution):
        return _trend(value, "time" if name in _TIMES else "default")
    if kind == "rate":
        return {"type": "rate", "contains": "default", "values": {"rate": value}}
    if kind == "gauge":
        return _gauge(value)
    return _counter(value, seconds)


def _counter(count: float, seconds: float, contains: str = "default") -> dict[str, Any]:
    rate = count / seconds if seconds else 0.0
    return {"type": "counter", "contains": contains, "values": {"count": count, "rate": rate}}


def _gauge(value: float) -> dict[str, Any]:
    return {"type": "gauge", "contains": "default", "values": {"value": value}}


def _rate(passes: int, fails: int) -> dict[str, Any]:
    whole = passes + fails
    values = {"rate": passes / whole if whole else 0.0, "passes": passes, "fails": fails}
    return {"type": "rate", "contains": "default", "values": values}


def _trend(spread: Distribution, contains: str) -> dict[str, Any]:
    values = {
        "avg": spread.avg,
        "min": spread.min,
        "med": spread.med,
        "max": spread.max,
        "p(90)": spread.p90,
        "p(95)": spread.p95,
        "p(99)": spread.p99,
        "count": spread.count,
    }
    return {"type": "trend", "contains": contains, "values": values}


def _groups(checks: list[CheckResult]) -> dict[str, Any]:
    """The tree of groups with their checks; only groups with checks are known."""
    tree: dict[str, Any] = _group("", "")
    known = {"": tree}
    for check in checks:
        path = ""
        parent = tree
        for name in filter(None, check.group.split("::")):
            path = f"{path}::{name}"
            if path not in known:
                known[path] = _group(name, path)
                parent["groups"].append(known[path])
            parent = known[path]
        parent["checks"].append(
            {
                "name": check.name,
                "path": f"{path}::{check.name}",
                "passes": check.passes,
                "fails": check.fails,
            }
        )
    return tree


def _group(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "path": path, "groups": [], "checks": []}
