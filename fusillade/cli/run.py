"""``fusillade run script.js``: run a test on this machine, without a platform; or on one."""

import asyncio
import contextlib
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.artifact_files import write_artifacts
from fusillade.cli.local_run import LocalRun
from fusillade.cli.outputs import ExportHtml, Out, Output, outputs
from fusillade.cli.script_env import given_variables, script_env
from fusillade.cli.script_files import read_files
from fusillade.cli.script_log import check_level, logger
from fusillade.durations import parse_duration
from fusillade.errors import ValidationFailed
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHostDied, describe

if TYPE_CHECKING:
    from rich.console import Console

    from fusillade.cli.progress import Progress

THRESHOLDS_CROSSED = 99
"""Exit code, as k6's."""

INTERRUPTED = "Interrupted."
_GRACE_SECONDS = 5.0
"""What iterations under way get after the first Ctrl-C."""


_FILE_WIDTH = 120
"""Columns where the output is no terminal."""


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
    out: Out = None,
    export_html: ExportHtml = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the test would do, and do nothing.")
    ] = False,
    log_level: Annotated[
        str, typer.Option(help="Show lines of the script from this level on, or none.")
    ] = "info",
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="No progress while the test runs.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Run it on the platform that you are logged in at.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="With --cloud: what the test is called.")] = None,
    region: Annotated[
        str | None,
        typer.Option(help="With --cloud: such as eu-hel1, or eu-hel1:60,us-east-1:40."),
    ] = None,
    asset: Annotated[
        list[Path] | None,
        typer.Option(help="With --cloud: a file that the script opens by a computed name."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="With --cloud: wait for the end and its result.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="With --cloud: the same, and show the test live.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --cloud: print the API's answer alone.")
    ] = False,
) -> None:
    """Run a test here, on all cores, or with --cloud; exit code 99 for a crossed threshold."""
    here_alone: dict[str, object] = {
        "--iterations": iterations,
        "--dry-run": dry_run,
        "--quiet": quiet,
        "--log-level": log_level != "info",
    }
    there_alone: dict[str, object] = {
        "--name": name,
        "--region": region,
        "--asset": asset,
        "--wait": wait,
        "--watch": watch,
        "--json": as_json,
    }
    _refuse(here_alone if cloud else there_alone, cloud)
    files_to_write = outputs(out or [], export_html)
    if cloud:
        from fusillade.cli.cloud.run import run_on_platform

        code = run_on_platform(
            script,
            name=name,
            workers=workers,
            duration=duration,
            region=region,
            env=env or [],
            assets=asset or [],
            wait=wait,
            watch=watch,
            as_json=as_json,
            reports=files_to_write,
        )
        raise typer.Exit(code)
    check_level(log_level)
    given_variables(env or [])
    files, entry = read_files(script)
    overrides = Overrides(
        workers=workers, duration_seconds=_seconds(duration), iterations=iterations
    )
    session = _Session(entry, files_to_write, log_level, quiet)
    code = asyncio.run(session.run(files, overrides, env or [], dry_run))
    if code:
        raise typer.Exit(code)


class _Session:
    """One run with its terminal."""

    def __init__(
        self, entry: str, files_to_write: list[Output], log_level: str, quiet: bool
    ) -> None:
        self._entry = entry
        self._outputs = files_to_write
        self._log_level = log_level
        self._quiet = quiet
        self._loaded: Loaded | None = None
        self._progress: Progress | None = None
        self._interrupted: signal.Signals | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._live = contextlib.ExitStack()
        self._made: Console | None = None

    async def run(
        self, files: dict[str, bytes], overrides: Overrides, env: list[str], dry: bool
    ) -> int:
        """Run to the end; the exit code."""
        self._test = LocalRun(
            files=files,
            entry=self._entry,
            overrides=overrides,
            env=lambda: self._while_hosts_start(env),
            on_loaded=self._on_loaded,
            on_metric=self._on_metric,
            on_log=self._log,
            dry=dry,
        )
        work = asyncio.ensure_future(self._test.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, number, work)
        started_at = datetime.now(UTC)
        with self._live:
            try:
                await work
            except (ScriptFailed, ScriptHostDied) as error:
                self._test.failed = True
                self._test.reason = str(error)
            except asyncio.CancelledError:
                self._test.reason = self._test.reason or INTERRUPTED
        if not dry:
            self._report(started_at)
        return self._exit_code()

    @property
    def _console(self) -> "Console":
        """Not made, and rich not imported, before there is something to print."""
        if self._made is None:
            from rich.console import Console

            self._made = Console(highlight=False)
            if not self._made.is_terminal and "COLUMNS" not in os.environ:
                self._made.width = _FILE_WIDTH
        return self._made

    def _while_hosts_start(self, env: list[str]) -> dict[str, str]:
        """The script's variables; and what shows the run is imported, which takes its time."""
        from fusillade.cli import plan_view, progress  # noqa: F401

        return script_env(env)

    def _log(self, level: str, text: str) -> None:
        logger(self._console, self._log_level)(level, text)

    def _on_loaded(self, loaded: Loaded, hosts: int) -> None:
        from fusillade.cli import plan_view
        from fusillade.cli.progress import Progress
        from fusillade.script.options import thresholds_of

        self._loaded = loaded
        for warning in loaded.warnings:
            self._log("warn", describe([warning]))
        if self._test.overrides.iterations and loaded.options.get("scenarios"):
            self._log("warn", "--iterations has no effect on a script with scenarios")
        if self._test.dry:
            thresholds = thresholds_of(loaded.options)
            plan_view.show_plan(self._console, self._entry, loaded, thresholds, hosts)
            return
        for line in plan_view.plan_lines(loaded):
            self._console.print(f"{self._entry}, {line}", markup=False, soft_wrap=True)
        if not self._quiet:
            limits = [scenario.iterations for scenario in loaded.scenarios]
            total = sum(limit or 0 for limit in limits) if all(limits) else None
            view = Progress(self._console, loaded.duration_seconds, total)
            self._progress = self._live.enter_context(view)

    def _on_metric(self, metric: dict[str, Any]) -> None:
        if self._progress is not None:
            self._progress.show(metric)

    def _interrupt(self, number: signal.Signals, work: "asyncio.Future[Any]") -> None:
        """The first time end as the script would have it, the second time at once."""
        again = self._interrupted is not None
        self._interrupted = number
        if again or not self._test.begun:
            work.cancel()
        else:
            self._stopping = asyncio.ensure_future(self._test.stop(INTERRUPTED, _GRACE_SECONDS))

    def _report(self, started_at: datetime) -> None:
        """The summary on the terminal and in files, and on stderr why the run ended early."""
        test = self._test
        if test.aggregate is not None or self._outputs:
            from fusillade.cli import plan_view, run_view
            from fusillade.metrics.aggregate import Aggregate
            from fusillade.reports.result import Result

            aggregate = test.aggregate or Aggregate()
            summary = aggregate.summary()
            if test.stdout is not None:
                typer.echo(test.stdout)
            elif test.aggregate is not None:
                run_view.show(self._console, summary)
            write_artifacts(test.artifacts, Path())
            result = Result(
                name=self._entry,
                started_at=started_at,
                summary=summary,
                points=aggregate.series_points(),
                failed=test.failed,
                reason=test.reason,
                scenarios=plan_view.plan_lines(self._loaded) if self._loaded else [],
                failures=aggregate.failures.records,
            )
            for output in self._outputs:
                output.write(result)
        if test.reason is not None:
            typer.echo(test.reason, err=True)

    def _exit_code(self) -> int:
        test = self._test
        if self._interrupted is not None:
            return 128 + self._interrupted
        if test.failed:
            return 1
        if test.aborted:
            return THRESHOLDS_CROSSED
        if test.aggregate is not None:
            results = test.aggregate.summary().thresholds
            return 0 if all(one.ok for one in results) else THRESHOLDS_CROSSED
        return 0


def _refuse(options: dict[str, object], cloud: bool) -> None:
    """Raise :class:`ValidationFailed` for one that was given where it means nothing."""
    given = next((name for name, value in options.items() if value), None)
    if given is not None and cloud:
        raise ValidationFailed(f"{given} is for runs on this machine: leave it or --cloud out.")
    if given is not None:
        raise ValidationFailed(f"{given} is for runs on a platform: add --cloud.")


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        return parse_duration(duration)
    except ValueError as error:
        raise ValidationFailed(f"--duration: {error}.") from error
