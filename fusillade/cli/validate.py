"""``fusillade validate script.js``: say what is wrong with a test, without running it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from fusillade.cli.local_run import read_files
from fusillade.hosting.messages import Loaded
from fusillade.hosting.script_host import ScriptHost, ScriptRejected, describe


def validate(
    script: Annotated[Path, typer.Argument(help="The test: a .js or .ts file.")],
) -> None:
    """Compile a test and run its init code; exit code 1 when something is wrong."""
    files, entry = read_files(script)
    try:
        loaded = asyncio.run(_load(files, entry))
    except ScriptRejected as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    if loaded.warnings:
        typer.echo(describe(loaded.warnings))
    typer.echo(
        f"{entry} is valid: {loaded.workers} workers for {loaded.duration_seconds:g} s, "
        f"exports {', '.join(loaded.exports)}"
    )


async def _load(files: dict[str, bytes], entry: str) -> Loaded:
    async with ScriptHost() as host:
        return await host.load(files, entry)
