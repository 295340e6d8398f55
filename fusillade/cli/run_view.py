"""The result of ``fusillade run`` in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fusillade.metrics.requests import metric_of
from fusillade.metrics.summary import Distribution, Summary


def show(console: Console, summary: Summary) -> None:
    """Checks, thresholds, totals and distributions."""
    for check in summary.checks:
        name = f"{check.group}::{check.name}" if check.group else check.name
        total = check.passes + check.fails
        console.print(_verdict(check.fails == 0, f"{name}  {check.passes:,} of {total:,}"))
    for threshold in summary.thresholds:
        value = "no values" if threshold.value is None else f"{threshold.value:g}"
        words = f"{threshold.metric}: {threshold.expression}  ({value})"
        console.print(_verdict(threshold.ok, words))
    console.print(_totals(summary))
    console.print(_distributions(summary))


def _verdict(ok: bool, words: str) -> Text:
    return Text.assemble(("✓ ", "green") if ok else ("✗ ", "bold red"), words)


def _totals(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    failed = f"{summary.failed_requests:,} ({summary.error_rate:.2%})"
    codes = "  ".join(f"{code}: {count:,}" for code, count in summary.status_codes.items())
    rows = {
        "http_reqs": f"{summary.total_requests:,}  {summary.rps:,.1f}/s",
        "http_req_failed": failed,
        "status codes": codes,
        "errors": "  ".join(f"{name}: {count:,}" for name, count in summary.errors.items()),
        "iterations": f"{summary.iterations:,}",
        "iterations failed": _if_any(summary.failed_iterations),
        "iterations interrupted": _if_any(summary.interrupted_iterations),
        "iterations dropped": _if_any(summary.dropped_iterations),
        "data sent": f"{summary.data_sent_bytes / 1000:,.1f} kB",
        "data received": f"{summary.data_received_bytes / 1000:,.1f} kB",
        "workers": f"{summary.max_workers:,}",
        "duration": f"{summary.duration_seconds:.1f} s",
    }
    for name, value in summary.metrics.items():
        if not isinstance(value, Distribution):
            rows[name] = f"{value:g}"
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, style="dim"), Text(text))
    return table


def _distributions(summary: Summary) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for header in ("ms", "avg", "min", "med", "p90", "p95", "p99", "max"):
        table.add_column(header, justify="left" if header == "ms" else "right")
    durations = {
        "http_req_duration": Distribution(
            count=summary.total_requests,
            avg=summary.avg_latency_ms,
            min=summary.min_latency_ms,
            med=summary.med_latency_ms,
            p90=summary.p90_latency_ms,
            p95=summary.p95_latency_ms,
            p99=summary.p99_latency_ms,
            max=summary.max_latency_ms,
        )
    }
    durations |= {metric_of(phase): spread for phase, spread in summary.phases.items()}
    durations |= {
        name: value for name, value in summary.metrics.items() if isinstance(value, Distribution)
    }
    for name, spread in durations.items():
        if spread.count:
            values = (
                spread.avg,
                spread.min,
                spread.med,
                spread.p90,
                spread.p95,
                spread.p99,
                spread.max,
            )
            table.add_row(name, *(f"{value:,.2f}" for value in values))
    return table


def _if_any(count: int) -> str:
    return f"{count:,}" if count else ""
