"""A test while it runs: on a terminal a panel that changes, elsewhere plain lines."""

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fusillade.cli.cloud.session import clean
from fusillade.cli.progress import Progress
from fusillade.durations import show_duration
from fusillade.reports import numbers
from fusillade.script.planned import counted

_BARS = "▁▂▃▄▅▆▇█"
_SECONDS_SHOWN = 60
_BAR_WIDTH = 40
_MOST_WARNINGS = 3


class LiveView:
    """A context manager around the time that a test is watched.

    ``live``: show the numbers of each second, not only what becomes of the test.
    """

    def __init__(self, console: Console, name: str, duration_seconds: float, live: bool) -> None:
        self._console = console
        self._name = clean(name)
        self._duration = duration_seconds
        self._numbers = live
        self._lines = Progress(console, duration_seconds)
        self._live: Live | None = None
        self._state: tuple[str, bool] | None = None
        self._metric: Mapping[str, Any] | None = None
        self._rates: deque[float] = deque(maxlen=_SECONDS_SHOWN)

    def __enter__(self) -> Self:
        self.go_on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.halt()

    def halt(self) -> None:
        """Leave the terminal to something else."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def go_on(self) -> None:
        """Show the panel again, where there is a terminal for it."""
        if self._console.is_terminal and self._numbers and self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
            self._draw()

    def note(self, words: str) -> None:
        """A line that stays."""
        self._console.print(clean(words), markup=False, soft_wrap=True)

    def show(self, message: Mapping[str, Any]) -> None:
        """Show one message of the WebSocket."""
        if message["type"] == "status":
            state = (str(message["status"]), bool(message.get("paused")))
            if state != self._state:
                self._state = state
                if self._live is None:
                    self.note(f"{self._name}: {self._status()}")
        elif message["type"] == "metric":
            self._metric = message
            self._rates.append(message["rps"])
            if self._live is None and self._numbers and not self._console.is_terminal:
                self._lines.show(message)
        self._draw()

    def _status(self) -> str:
        if self._state is None:
            return "waiting"
        status, paused = self._state
        return "paused" if paused else status

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(Group(*self._parts()), refresh=True)

    def _parts(self) -> list[RenderableType]:
        metric = self._metric
        elapsed = 0.0 if metric is None else float(metric["elapsed_seconds"])
        head = Table.grid(padding=(0, 2, 0, 0))
        head.add_row(
            Text(self._name, "bold cyan"),
            Text(self._status(), "bold"),
            ProgressBar(self._duration, min(elapsed, self._duration), width=_BAR_WIDTH),
            Text(f"{show_duration(elapsed)} of {show_duration(self._duration)}", "dim"),
        )
        parts: list[RenderableType] = [head]
        if metric is not None:
            parts += [self._second(metric), *self._so_far(metric)]
        parts.append(Text("Ctrl-C: detach or stop", "dim"))
        return parts

    def _second(self, metric: Mapping[str, Any]) -> RenderableType:
        made = Table.grid(padding=(0, 3, 0, 0))
        cells = {
            "requests/s": f"{metric['rps']:,.0f}",
            **{name: _time(metric.get(f"{name}_latency_ms")) for name in ("p50", "p95", "p99")},
            "errors": f"{metric['errors']:,}",
            "workers": f"{metric['active_workers']:,}",
            "requests": f"{metric['total_requests']:,}",
            "checks": _checks(metric["checks"]),
        }
        for _ in cells:
            made.add_column(justify="right", no_wrap=True)
        made.add_row(*(Text(name, "dim") for name in cells))
        bad = {"errors"} if metric["errors"] else set()
        if metric["checks"]["fails"]:
            bad.add("checks")
        made.add_row(
            *(Text(text, "bold red" if name in bad else "bold") for name, text in cells.items())
        )
        return made

    def _so_far(self, metric: Mapping[str, Any]) -> list[RenderableType]:
        parts: list[RenderableType] = [Text(_curve(self._rates), "cyan")]
        for one in metric.get("thresholds", []):
            value = "no values" if one["value"] is None else numbers.count(one["value"])
            sign = ("✓ ", "green") if one["ok"] else ("✗ ", "bold red")
            name = clean(f"{one['metric']}: {one['expression']}")
            parts.append(Text.assemble(sign, name, (f"  {value}", "dim")))
        regions = metric.get("by_region", [])
        for one in regions if len(regions) > 1 else []:
            words = (
                f"{one['region']}  {one['rps']:,.0f}/s  p95 {_time(one.get('p95_latency_ms'))}  "
                f"{counted(one['errors'], 'error')}  {counted(one['active_workers'], 'worker')}"
            )
            parts.append(Text(clean(words)))
        parts += [
            Text(f"! {clean(words)}", "yellow") for words in metric["warnings"][:_MOST_WARNINGS]
        ]
        return parts


def _time(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else numbers.milliseconds(milliseconds)


def _checks(checks: Mapping[str, int]) -> str:
    total = checks["passes"] + checks["fails"]
    return numbers.share(checks["passes"] / total) if total else "-"


def _curve(values: "deque[float]") -> str:
    """One character a value, as high as it is beside the highest."""
    highest = max(values, default=0) or 1
    return "".join(
        _BARS[min(len(_BARS) - 1, int(value / highest * len(_BARS)))] for value in values
    )
