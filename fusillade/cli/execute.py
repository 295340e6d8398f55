"""``fusillade exec script.js``: run one function of a test once, while you write it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from fusillade.cli.script_env import given_variables, script_env
from fusillade.cli.script_files import read_files
from fusillade.cli.script_log import check_level, logger
from fusillade.errors import ValidationFailed
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def execute(
    script: Annotated[Path, typer.Argument(help="The test: a .js or .ts file.")],
    function: Annotated[
        str, typer.Option("-f", "--function", help="An exported function.")
    ] = "default",
    env: Annotated[
        list[str] | None, typer.Option("-e", "--env", help="KEY=VALUE for __ENV; repeatable.")
    ] = None,
    log_level: Annotated[
        str, typer.Option(help="Show lines of the script from this level on, or none.")
    ] = "debug",
) -> None:
    """Run an exported function once, between setup() and teardown(); print what it returns.

    Its value goes to stdout as JSON; what it logs, its checks and its requests go to stderr.
    Exit code 1 when it throws.
    """
    check_level(log_level)
    given_variables(env or [])
    files, entry = read_files(script)
    try:
        called = asyncio.run(_execute(files, entry, function, env or [], log_level))
    except (ScriptFailed, ScriptHostDied) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(json.loads(called), indent=2, ensure_ascii=False))


async def _execute(
    files: dict[str, bytes], entry: str, function: str, env: list[str], log_level: str
) -> str:
    """The function's value as JSON. ``teardown()`` runs also when it throws."""
    async with ScriptHost() as host:
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        log = logger(console, log_level)
        loaded = await host.load(files, entry, env=script_env(env))
        if function not in loaded.exports:
            raise ValidationFailed(
                f"{entry} does not export a function '{function}'; "
                f"it exports {', '.join(loaded.exports)}."
            )
        for warning in loaded.warnings:
            log("warn", warning.message)
        # Neither setup nor teardown has the other around it.
        data = "null" if function == "setup" else await _logged(host, log, host.setup())
        try:
            called = await _logged(host, log, host.call(function, data))
        finally:
            if function not in ("setup", "teardown"):
                await _logged(host, log, host.teardown(data))
        _show_measured(console, called.metrics)
        return called.data


def _show_measured(console: "Console", metrics: bytes) -> None:
    """Checks and requests, as far as there were any."""
    from fusillade.cli import run_view
    from fusillade.metrics.aggregate import Aggregate

    aggregate = Aggregate()
    aggregate.merge(0, metrics)
    run_view.show_once(console, aggregate.summary())


async def _logged(host: ScriptHost, log: Callable[[str, str], None], work: Awaitable[T]) -> T:
    """Await ``work``, and print what the script has logged, whatever became of it."""
    try:
        return await work
    finally:
        for line in host.early_logs:
            log(line.level, line.text)
        host.early_logs.clear()
