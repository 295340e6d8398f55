"""Live progress of a run: on a terminal one line that changes, elsewhere a line for each second."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fusillade.durations import show_duration
from fusillade.reports import numbers

_BAR_WIDTH = 16
_NARROW = 96
"""Below so many columns the bar is left out, so that the line stays one."""


class Progress:
    """A context manager around the time that a test runs.

    ``iterations`` is how many the test will do in all, if it is not time alone that ends it.
    """

    def __init__(
        self, console: Console, duration_seconds: float, iterations: int | None = None
    ) -> None:
        self._console = console
        self._duration = duration_seconds
        self._iterations = iterations
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
        """Show one ``metric`` message, as the WebSocket carries it as well."""
        elapsed = float(metric["elapsed_seconds"])
        p95 = metric["p95_latency_ms"]
        cells = {
            "": f"{metric['rps']:,.0f}/s",
            "p95": "-" if p95 is None else numbers.milliseconds(p95),
            "errors": f"{metric['errors']:,}",
            "workers": f"{metric['active_workers']:,}",
            "left": self._left(metric, elapsed),
        }
        if self._live is None:
            self._console.print(
                f"{elapsed:5.0f} s  {metric['total_requests']:>8,} requests {cells['']:>10}  "
                f"p95 {cells['p95']:>8}  {cells['errors']} errors  {cells['workers']} workers  "
                f"{cells['left']} left",
                soft_wrap=True,
            )
            return
        texts = [
            Text.assemble(
                (f"{label} " if label else "", "dim"),
                (value, "bold red" if label == "errors" and metric["errors"] else "bold"),
            )
            for label, value in cells.items()
        ]
        line = Table.grid(padding=(0, 2, 0, 0))
        cells_shown: list[RenderableType] = [Text(show_duration(elapsed)), *texts]
        if self._console.width >= _NARROW:
            done = self._done(metric, elapsed)
            cells_shown.insert(0, ProgressBar(total=1.0, completed=done, width=_BAR_WIDTH))
        line.add_row(*cells_shown)
        self._live.update(line, refresh=True)

    def _done(self, metric: Mapping[str, Any], elapsed: float) -> float:
        """The share that is done, by time or by iterations, whichever is further."""
        parts = [elapsed / self._duration if self._duration else 1.0]
        if self._iterations:
            parts.append(metric["iterations"] / self._iterations)
        return min(1.0, max(parts))

    def _left(self, metric: Mapping[str, Any], elapsed: float) -> str:
        if self._iterations:
            return f"{max(0, self._iterations - metric['iterations']):,} iterations"
        return show_duration(max(0.0, round(self._duration - elapsed)))
