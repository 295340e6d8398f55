"""What ``fusillade demo`` shows: live progress, and the result as a table.

On a terminal the progress is one panel that changes; elsewhere it is a line for each second.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text


class Progress:
    """The live part; a context manager around the time the test runs."""

    def __init__(self, console: Console, duration_seconds: float) -> None:
        self._console = console
        self._duration = duration_seconds
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, metric: Mapping[str, Any]) -> None:
        """Show one ``metric`` message of the WebSocket."""
        elapsed = float(metric["elapsed_seconds"])
        if self._live is None:
            self._console.print(
                f"{elapsed:5.0f} s  {metric['total_requests']:>8,} requests  "
                f"{metric['rps']:>8,.0f}/s  p95 {_ms(metric['p95_latency_ms'])}  "
                f"{metric['errors']} errors"
            )
            return
        table = Table.grid(padding=(0, 3))
        table.add_row(
            _cell("requests", f"{metric['total_requests']:,}"),
            _cell("rate", f"{metric['rps']:,.0f}/s"),
            _cell("p95", _ms(metric["p95_latency_ms"])),
            _cell("errors", f"{metric['errors']:,}", bad=metric["errors"] > 0),
            _cell("workers", f"{metric['active_workers']}"),
        )
        bar = ProgressBar(total=self._duration, completed=min(elapsed, self._duration), width=60)
        above = Table.grid()
        above.add_row(bar)  # a bare bar would not end its line
        self._live.update(Group(above, table), refresh=True)


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


def _cell(label: str, value: str, bad: bool = False) -> Text:
    return Text.assemble((f"{label} ", "dim"), (value, "bold red" if bad else "bold"))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"
