"""The live progress of a run."""

import io
from typing import Any

import pytest
from rich.console import Console

from fusillade.cli.progress import Progress

METRIC: dict[str, Any] = {
    "type": "metric",
    "elapsed_seconds": 3,
    "active_workers": 10,
    "total_requests": 1234,
    "rps": 411.5,
    "p95_latency_ms": 12.34,
    "errors": 2,
    "iterations": 40,
}


def shown(
    *metrics: dict[str, Any], terminal: bool, iterations: int | None = None, width: int = 100
) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, highlight=False)
    with Progress(console, duration_seconds=90, iterations=iterations) as progress:
        for metric in metrics:
            progress.show(metric)
    return file.getvalue()


def test_without_a_terminal_progress_is_one_plain_line_a_second() -> None:
    text = shown(METRIC, METRIC | {"elapsed_seconds": 4, "p95_latency_ms": None}, terminal=False)
    first, second = text.splitlines()
    assert " ".join(first.split()) == (
        "3 s 1,234 requests 412/s p95 12.3 ms 2 errors 10 workers 1m27s left"
    )
    assert "p95 -" in " ".join(second.split())
    assert "\x1b" not in text


def test_on_a_terminal_progress_is_one_line_with_all_numbers_and_a_bar() -> None:
    text = shown(METRIC, terminal=True)
    for part in ("412/s", "12.3 ms", "errors", "10", "1m27s", "━"):
        assert part in text
    assert text.count("\n") == 1


def test_on_a_narrow_terminal_progress_is_still_one_line() -> None:
    text = shown(METRIC | {"rps": 123456.0}, terminal=True, width=72)
    assert "123,456/s" in text
    assert "1m27s" in text
    assert text.count("\n") == 1


@pytest.mark.parametrize(("done", "left"), [(40, "60 iterations left"), (120, "0 iterations left")])
def test_a_run_of_limited_iterations_says_how_many_are_left(done: int, left: str) -> None:
    assert left in shown(METRIC | {"iterations": done}, terminal=False, iterations=100)
