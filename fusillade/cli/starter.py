"""``fusillade init``: a first test to begin with."""

import importlib.resources
import json
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from fusillade.errors import Conflict, InternalError, ValidationFailed

EXAMPLE = "starter.js"
_NAME = "test.js"
_TARGET = re.compile(r"^const target = (.*);$", re.MULTILINE)


def init(
    path: Annotated[
        Path, typer.Argument(help="The file to write, or a directory for test.js.")
    ] = Path("."),
    url: Annotated[
        str | None, typer.Option(help="The address to be tested, such as https://example.com.")
    ] = None,
) -> None:
    """Write a small test with comments, ready to run; never over a file that is there."""
    if path.is_dir() or path.suffix == "":
        path = path / _NAME
    text = starter(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already: give another name.") from error
    except OSError as error:
        raise ValidationFailed(f"Cannot write {path}: {error.strerror}.") from error
    typer.echo(f"Wrote {path}. Run it with: fusillade run {path}")


def starter(url: str | None) -> str:
    """The packaged example, aimed at ``url``. Raises :class:`ValidationFailed`."""
    text = importlib.resources.files("fusillade.examples").joinpath(EXAMPLE).read_text("utf-8")
    if url is None:
        return text
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationFailed(f"--url {url}: write it as https://host or http://host:port.")
    # JSON, escaped further, is a JavaScript literal whatever the address holds.
    literal = json.dumps(url.rstrip("/"))
    changed, times = _TARGET.subn(lambda _: f"const target = {literal};", text)
    if times != 1:
        raise InternalError(f"{EXAMPLE} does not have the line that names its target.")
    return changed
