"""``fusillade run script.js``: run a test on this machine, without a platform."""

import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from fusillade.cli import demo_view, run_view
from fusillade.cli.local_run import LocalRun, read_files
from fusillade.durations import parse_duration
from fusillade.errors import ValidationFailed
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHostDied
from fusillade.metrics.summary import Summary

THRESHOLDS_CROSSED = 99
"""Exit code, as k6's."""

LEVELS = ("debug", "info", "warn", "error", "none")


def run(
    script: Annotated[Path, typer.Argument(help="The test: a .js or .ts file.")],
    workers: Annotated[
        int | None, typer.Option("-w", "--workers", "--vus", min=1, help="Virtual users.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("-d", "--duration", help="Such as 30s or 1.5m.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option("-i", "--iterations", min=1, help="Iterations per worker.")
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option("-e", "--env", help="KEY=VALUE for __ENV; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the summary to this file as JSON.")
    ] = None,
    log_level: Annotated[
        str, typer.Option(help="Show lines of the script from this level on, or none.")
    ] = "info",
) -> None:
    """Run a test here, on all cores; exit code 99 when a threshold was crossed."""
    if log_level not in LEVELS:
        raise ValidationFailed(f"--log-level must be one of {', '.join(LEVELS)}.")
    files, entry = read_files(script)
    overrides = Overrides(
        workers=workers, duration_seconds=_seconds(duration), iterations=iterations
    )
    console = Console(highlight=False)
    summary, reason, failed = asyncio.run(
        _run(console, files, entry, overrides, _variables(env or []), log_level)
    )
    if summary is not None:
        run_view.show(console, summary)
        if out is not None:
            content = msgspec.to_builtins(summary) | {"reason": reason}
            out.write_text(json.dumps(content, indent=2) + "\n")
    if reason is not None:
        Console(stderr=True, highlight=False).print(reason, markup=False)
    if failed:
        raise typer.Exit(1)
    if summary is not None and not all(one.ok for one in summary.thresholds):
        raise typer.Exit(THRESHOLDS_CROSSED)


async def _run(
    console: Console,
    files: dict[str, bytes],
    entry: str,
    overrides: Overrides,
    env: dict[str, str],
    log_level: str,
) -> tuple[Summary | None, str | None, bool]:
    """Summary, reason for an early end, and whether the run itself failed."""
    lowest = LEVELS.index(log_level)

    def log(level: str, text: str) -> None:
        if LEVELS.index(level) >= lowest:
            console.print(f"{level}: {text}", markup=False)

    progress: demo_view.Progress | None = None
    with contextlib.ExitStack() as stack:

        def loaded(plan: Loaded, hosts: int) -> None:
            nonlocal progress
            for warning in plan.warnings:
                log("warn", warning.message)
            console.print(
                f"{entry}: {plan.workers} workers for {plan.duration_seconds:g} s on {hosts} cores"
            )
            view = demo_view.Progress(console, plan.duration_seconds)
            progress = stack.enter_context(view)

        test = LocalRun(
            files=files,
            entry=entry,
            overrides=overrides,
            env=env,
            on_loaded=loaded,
            on_metric=lambda metric: progress.show(metric) if progress is not None else None,
            on_log=log,
        )
        work = asyncio.ensure_future(test.run())
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            if test.reason is not None:
                work.cancel()  # asked twice
            stopping.append(asyncio.ensure_future(test.stop("Interrupted.", 5.0)))

        stopping: list[asyncio.Future[None]] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        try:
            summary = await work
        except (ScriptFailed, ScriptHostDied) as error:
            return None, str(error), True
        except asyncio.CancelledError:
            return None, "Interrupted.", True
    return summary, test.reason, test.failed


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        return parse_duration(duration)
    except ValueError as error:
        raise ValidationFailed(f"--duration: {error}.") from error


def _variables(given: list[str]) -> dict[str, str]:
    variables = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValidationFailed(f"-e {text}: write it as KEY=VALUE.")
        variables[name] = value
    return variables
