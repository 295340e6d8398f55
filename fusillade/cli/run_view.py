"""The result of ``fusillade run`` in the terminal."""

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fusillade.metrics.summary import CheckResult, Distribution, Summary
from fusillade.reports import numbers
from fusillade.reports.distributions import distributions, show_value
from fusillade.reports.result import check_name

_SPREAD = ("avg", "min", "med", "p90", "p95", "p99", "max")
_NARROW_SPREAD = ("avg", "med", "p95", "p99", "max")
_WIDE = 104
"""Columns of a terminal that all of ``_SPREAD`` fit into."""
_MOST_ENDPOINTS = 20
_SHOWN_ALREADY = {"vus", "pool_hits", "pool_misses"}
"""Metrics that say what the rows ``workers`` and ``connections`` say."""


def show(console: Console, summary: Summary) -> None:
    """Thresholds, checks, totals, distributions, endpoints, regions, warnings; parts that are
    empty are left out."""
    _show_thresholds(console, summary)
    _show_checks(console, summary.checks)
    _show_totals(console, summary)
    _show_distributions(console, summary)
    _show_endpoints(console, summary)
    _show_regions(console, summary)
    _show_warnings(console, summary)
    console.print()


def show_once(console: Console, summary: Summary) -> None:
    """What one call of one function did: its checks, and a line for each endpoint."""
    _show_checks(console, summary.checks)
    if summary.endpoints:
        _head(console, "Requests")
    for endpoint in summary.endpoints:
        words = f"    {endpoint.name}  {_counts(endpoint.status_codes)}"
        console.print(
            Text.assemble(words, (f"  {numbers.milliseconds(endpoint.avg)}", "dim")),
            soft_wrap=True,
        )


def _show_thresholds(console: Console, summary: Summary) -> None:
    if not summary.thresholds:
        return
    _head(console, "Thresholds")
    for metric, conditions in groupby(summary.thresholds, key=lambda one: one.metric):
        console.print(Text(f"    {metric}"))
        for one in conditions:
            value = "no values" if one.value is None else numbers.count(one.value)
            words = Text.assemble(_tick(one.ok), one.expression, (f"  {value}", "dim"))
            console.print(Text("      ") + words)


def _show_checks(console: Console, checks: list[CheckResult]) -> None:
    if not checks:
        return
    passes = sum(check.passes for check in checks)
    total = passes + sum(check.fails for check in checks)
    _head(console, "Checks", f"{numbers.share(passes / total)}  {passes:,} of {total:,}")
    for check in checks:
        name = check_name(check.name, check.group)
        line = Text.assemble("    ", _tick(check.fails == 0), name)
        each = check.passes + check.fails
        line.append(f"  {check.passes:,} of {each:,}", "dim")
        if check.fails:
            line.append(f"  {numbers.share(check.passes / each)}", "bold red")
        console.print(line)


def _show_totals(console: Console, summary: Summary) -> None:
    _head(console, "Totals")
    seconds = summary.duration_seconds or 1.0
    connections = summary.new_connections + summary.reused_connections
    requests = summary.total_requests > 0
    rows: dict[str, tuple[str, str]] = {
        "http_reqs": (_if_any(summary.total_requests), f"{summary.rps:,.1f}/s" if requests else ""),
        "http_req_failed": (
            (f"{summary.failed_requests:,}", numbers.share(summary.error_rate))
            if requests
            else ("", "")
        ),
        "  status": ("", _counts(summary.status_codes)),
        "  errors": ("", _counts(summary.errors)),
        "iterations": (f"{summary.iterations:,}", f"{summary.iterations / seconds:,.1f}/s"),
        "  failed": (_if_any(summary.failed_iterations), ""),
        "  interrupted": (_if_any(summary.interrupted_iterations), ""),
        "  dropped": (_if_any(summary.dropped_iterations), ""),
        "workers": (
            (f"{summary.max_workers:,}", "at most at once") if summary.max_workers else ("", "")
        ),
        "data_sent": _data(summary.data_sent_bytes, seconds),
        "data_received": _data(summary.data_received_bytes, seconds),
        "connections": (
            (f"{summary.new_connections:,}", f"opened, {summary.reused_connections:,} times reused")
            if connections
            else ("", "")
        ),
        "duration": (numbers.milliseconds(summary.duration_seconds * 1000), ""),
    }
    for name, value in summary.metrics.items():
        if not isinstance(value, Distribution) and name not in _SHOWN_ALREADY:
            rows[name] = (numbers.count(value), "")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, (amount, more) in rows.items():
        if amount or more:
            bad = name in ("http_req_failed", "  failed", "  dropped") and amount != "0"
            style = "bold red" if bad else "bold"
            table.add_row(Text(f"    {name}"), Text(amount, style), Text(more, "dim"))
    console.print(table)


def _show_distributions(console: Console, summary: Summary) -> None:
    rows = distributions(summary)
    if not rows:
        return
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", no_wrap=True)
    columns = _SPREAD if console.width >= _WIDE else _NARROW_SPREAD
    for header in columns:
        table.add_column(header, justify="right", no_wrap=True)
    for name, spread in rows:
        values = (show_value(name, getattr(spread, column)) for column in columns)
        table.add_row(Text(f"    {name}"), *values)
    console.print(table)


def _show_endpoints(console: Console, summary: Summary) -> None:
    if len(summary.endpoints) < 2:
        return
    _head(console, "Endpoints")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("")
    for header in ("requests", "failed", "avg", "p95", "p99", "max"):
        table.add_column(header, justify="right", no_wrap=True)
    endpoints = sorted(summary.endpoints, key=lambda endpoint: -endpoint.count)
    for endpoint in endpoints[:_MOST_ENDPOINTS]:
        times = (endpoint.avg, endpoint.p95, endpoint.p99, endpoint.max)
        table.add_row(
            Text(f"    {endpoint.name}"),
            f"{endpoint.count:,}",
            Text(f"{endpoint.errors:,}", "bold red" if endpoint.errors else ""),
            *(numbers.milliseconds(value) for value in times),
        )
    console.print(table)
    if len(endpoints) > _MOST_ENDPOINTS:
        console.print(Text(f"    and {len(endpoints) - _MOST_ENDPOINTS:,} more", "dim"))


def _show_warnings(console: Console, summary: Summary) -> None:
    if summary.warnings:
        _head(console, "Warnings")
    for warning in summary.warnings:
        console.print(Text.assemble(("    ! ", "yellow"), warning), soft_wrap=True)


def _show_regions(console: Console, summary: Summary) -> None:
    if len(summary.by_region) < 2:
        return
    _head(console, "Regions")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("")
    for header in ("requests", "rate", "failed", "avg", "p95", "p99"):
        table.add_column(header, justify="right", no_wrap=True)
    for one in summary.by_region:
        table.add_row(
            Text(f"    {one.region}"),
            f"{one.requests:,}",
            f"{one.rps:,.1f}/s",
            Text(f"{one.errors:,}", "bold red" if one.errors else ""),
            *(numbers.milliseconds(value) for value in (one.avg, one.p95, one.p99)),
        )
    console.print(table)


def _head(console: Console, title: str, more: str = "") -> None:
    console.print(Text.assemble("\n  ", (title, "bold cyan"), f"  {more}" if more else ""))


def _tick(ok: bool) -> tuple[str, str]:
    return ("✓ ", "green") if ok else ("✗ ", "bold red")


def _counts(counts: dict[str, int]) -> str:
    return "  ".join(f"{code}: {count:,}" for code, count in counts.items())


def _data(size: int, seconds: float) -> tuple[str, str]:
    return (numbers.data(size), f"{numbers.data(size / seconds)}/s") if size else ("", "")


def _if_any(count: int) -> str:
    return f"{count:,}" if count else ""
