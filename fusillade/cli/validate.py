"""``fusillade validate script.js``: say what is wrong with a test, without running it."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fusillade.cli.problem_view import describe
from fusillade.cli.script_env import given_variables, script_env
from fusillade.cli.script_files import read_files
from fusillade.hosting.messages import Loaded, Problem
from fusillade.hosting.script_host import ScriptHost, ScriptRejected


def validate(
    script: Annotated[Path, typer.Argument(help="The test: a .js or .ts file.")],
    env: Annotated[
        list[str] | None, typer.Option("-e", "--env", help="KEY=VALUE for __ENV; repeatable.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of sentences.")
    ] = False,
) -> None:
    """Compile a test and run its init code; exit code 1 when something is wrong."""
    given_variables(env or [])
    files, entry = read_files(script)
    loaded, problems = asyncio.run(_load(files, entry, env or []))
    if as_json:
        typer.echo(json.dumps(_document(entry, loaded, problems), indent=2))
    else:
        for problem in problems:
            typer.echo(describe(problem, files), err=loaded is None)
        if loaded is not None:
            from fusillade.cli.plan_view import plan_lines

            typer.echo(f"{entry} is valid; it exports {', '.join(loaded.exports)}.")
            for line in plan_lines(loaded):
                typer.echo(f"  {line}")
    if loaded is None:
        raise typer.Exit(1)


async def _load(
    files: dict[str, bytes], entry: str, env: list[str]
) -> tuple[Loaded | None, list[Problem]]:
    """What the script would do, None if it is not valid; and what is to be said about it."""
    async with ScriptHost() as host:
        variables = script_env(env)
        try:
            loaded = await host.load(files, entry, env=variables)
        except ScriptRejected as error:
            return None, error.problems
    return loaded, loaded.warnings


def _document(entry: str, loaded: Loaded | None, problems: list[Problem]) -> dict[str, object]:
    document: dict[str, object] = {
        "script": entry,
        "valid": loaded is not None,
        "problems": [
            {
                "severity": problem.severity,
                "file": problem.file or None,
                "line": problem.line or None,
                "column": problem.column or None,
                "message": problem.message,
            }
            for problem in problems
        ],
    }
    if loaded is not None:
        document["exports"] = loaded.exports
        document["workers"] = loaded.workers
        document["duration_seconds"] = loaded.duration_seconds
        document["scenarios"] = msgspec.to_builtins(loaded.scenarios)
        document["options"] = loaded.options
    return document
