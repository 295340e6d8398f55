"""What all commands against a platform share: who asks, and where answers go."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud import account
from fusillade.cli.cloud.server import Answer, ApiError, Server

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print the API's answer and nothing else.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before ended.")]

View = Callable[["Console", Any], None]
"""Prints an answer for people."""

_FILE_WIDTH = 200
"""Columns where the output is no terminal: nothing is cut off for a program that reads it."""


class Session:
    """One command's conversation with its platform."""

    def __init__(self, server: Server, as_json: bool) -> None:
        self.server = server
        self.as_json = as_json

    def show(self, answer: Answer, view: View) -> None:
        """Print an answer: as it came, or for people."""
        if self.as_json:
            print_raw(answer.raw)
        else:
            view(console(), answer.data)

    def say(self, words: str) -> None:
        """A message: on stdout, or on stderr where that is for JSON."""
        typer.echo(clean(words), err=self.as_json)


@contextlib.contextmanager
def session(as_json: bool) -> Iterator[Session]:
    """As whoever is logged in. An error's answer is printed like any other with ``as_json``."""
    try:
        yield Session(Server(account.current()), as_json)
    except ApiError as error:
        error.message = clean(error.message)
        if as_json:
            print_raw(error.raw)
        raise


def print_raw(raw: bytes) -> None:
    """An answer as it came, on one line of its own; ``null`` for one without a body."""
    sys.stdout.buffer.write((raw.rstrip() or b"null") + b"\n")
    sys.stdout.buffer.flush()


def console(*, stderr: bool = False) -> "Console":
    """A terminal, or a file with long lines."""
    from rich.console import Console

    made = Console(highlight=False, stderr=stderr)
    if not made.is_terminal:
        made.width = _FILE_WIDTH
    return made


def clean(text: object) -> str:
    """What came from elsewhere, without what would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(text))
