"""The result that ``fusillade demo`` shows."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table


def summary_table(test: Mapping[str, Any], answered: int) -> Table:
    """The result of a test, as ``GET /api/v1/tests/:id`` gives it.

    ``answered``: how many requests the target counted, to be compared with ours.
    """
    summary = test.get("summary") or {}
    table = Table(
        title=f"{test['name']}: {test['status']}", show_header=False, title_justify="left"
    )
    table.add_column(style="dim")
    table.add_column(justify="right")
    if not summary:
        table.add_row("reason", str(test.get("reason")))
        return table
    table.add_row("requests", f"{summary['total_requests']:,}")
    table.add_row("counted by the target", f"{answered:,}")
    table.add_row("requests/s", f"{summary['rps']:,.1f}")
    table.add_row("failed", f"{summary['failed_requests']:,} ({summary['error_rate']:.2%})")
    codes = summary["status_codes"]
    table.add_row("status codes", "  ".join(f"{code}: {n:,}" for code, n in sorted(codes.items())))
    for name in ("avg", "med", "p95", "p99", "max"):
        table.add_row(f"latency, {name}", _ms(summary[f"{name}_latency_ms"]))
    table.add_row("iterations", f"{summary['iterations']:,}")
    table.add_row("received", f"{summary['data_received_bytes'] / 1000:,.0f} kB")
    for check in summary["checks"]:
        total = check["passes"] + check["fails"]
        table.add_row(f"check: {check['name']}", f"{check['passes']:,} of {total:,}")
    for threshold in summary["thresholds"]:
        verdict = "kept" if threshold["ok"] else "crossed"
        table.add_row(f"{threshold['metric']} {threshold['expression']}", verdict)
    return table


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"
