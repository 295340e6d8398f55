"""The command line: ``fusillade`` (``fusi`` for short). One file a command."""

import os
import sys

import typer

from fusillade.cli import demo, down, run, schema, up, validate
from fusillade.errors import FusilladeError

app = typer.Typer(
    name="fusillade",
    help="A self-hosted load-testing cloud on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("down")(down.down)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("validate")(validate.validate)
app.command("schema")(schema.schema)


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
