"""The command line: ``fusillade`` (``fusi`` for short). One file a command."""

import ast
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from fusillade.errors import FusilladeError

COMMANDS = {
    "up": "up:up",
    "down": "down:down",
    "demo": "demo:demo",
    "run": "run:run",
    "validate": "validate:validate",
    "schema": "schema:schema",
    "exec": "execute:execute",
    "init": "starter:init",
    "convert": "convert:convert",
    "export": "export:export",
    "replay": "replay:replay",
    "login": "cloud.login:login",
    "whoami": "cloud.login:whoami",
    "logout": "cloud.login:logout",
    "status": "cloud.status:status",
    "tests": "cloud.tests:tests",
    "compare": "cloud.compare:compare",
    "templates": "cloud.templates:templates",
    "schedules": "cloud.schedules:schedules",
    "webhooks": "cloud.webhooks:webhooks",
    "keys": "cloud.keys:keys",
    "regions": "cloud.limits:regions",
    "quota": "cloud.limits:quota",
    "ray-environment": "ray_environment:ray_environment",
}
"""A command's name, and its file and its function (or its group of commands) in this package; help
lists them in this order."""


class _Commands(TyperGroup):
    """Imports a command's file when the command is called: none waits for another's imports, and
    help and completion, which only list the commands, for none."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """As it stands in a list: with what it does, and no more."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=_described(COMMANDS[cmd_name]))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As it is called."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _command(str(name)), rest


def _command(name: str) -> Any:
    file, _, function = COMMANDS[name].partition(":")
    found = getattr(importlib.import_module(f"fusillade.cli.{file}"), function)
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def _described(place: str) -> str:
    """What a command does, read from its source: the docstring, or the help of a group."""
    file, _, name = place.partition(":")
    source = Path(__file__).parent.joinpath(*file.split(".")).with_suffix(".py")
    for node in ast.parse(source.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef(name=found) if found == name:
                return ast.get_docstring(node) or ""
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Call(keywords=given)):
                if found == name:
                    return next(ast.literal_eval(one.value) for one in given if one.arg == "help")
    return ""


app = typer.Typer(
    name="fusillade",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _fusillade() -> None:
    """A self-hosted load-testing cloud on Ray."""


def main() -> None:
    """Entry point of ``fusillade`` and ``fusi``.

    What a user can put right is one sentence on stderr and exit code 1. ``FUSILLADE_DEBUG=1``
    shows the stack trace as well.
    """
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("FUSILLADE_DEBUG"):
            raise
        sys.stderr.write(f"fusillade: {_sentence(error)}\n")
        sys.exit(1)


def _sentence(error: Exception) -> str:
    if isinstance(error, FusilladeError):
        return error.message
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} (FUSILLADE_DEBUG=1 shows where it came from)"
