"""``fusillade convert``: a test from what people have already."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fusillade.errors import Conflict, ValidationFailed


def convert(
    source: Annotated[
        str, typer.Argument(help="The file; - for standard input; or a curl command in quotes.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the test here, not to stdout.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="har, openapi, postman or curl; found out if not given."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only requests of this host, path or URL; * for any text; repeatable."),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="Not those requests; as --only; repeatable.")
    ] = None,
    think_time: Annotated[
        bool, typer.Option("--think-time", help="HAR: wait between requests as the recording did.")
    ] = False,
    assets: Annotated[
        bool, typer.Option("--assets", help="HAR: also images, styles, scripts and fonts.")
    ] = False,
    keep_secrets: Annotated[
        bool,
        typer.Option("--keep-secrets", help="Leave passwords, tokens and cookies in the test."),
    ] = False,
) -> None:
    """Write a test that sends the requests of a HAR file, an OpenAPI 3 description, a Postman
    collection or curl commands.

    What has to be known about it goes to stderr.
    """
    from fusillade.converters import formats
    from fusillade.converters.javascript import comment
    from fusillade.converters.model import Choices
    from fusillade.converters.script_writer import write

    choices = Choices(
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        think_time=think_time,
        assets=assets,
        keep_secrets=keep_secrets,
    )
    content, place, directory = _content(source)
    recipe = formats.read(content, place, directory, choices, format_)
    script = write(recipe)
    if output is None:
        typer.echo(script, nl=False)
    else:
        _write(output, script)
    for note in recipe.notes:
        typer.echo(comment(note), err=True)
    for constant in recipe.constants:
        if constant.required:
            typer.echo(f"Set -e {constant.variable}=... : {comment(constant.purpose)}.", err=True)
    if output is not None:
        typer.echo(f"Wrote {output}. Run it with: fusillade run {output}")


def _content(source: str) -> tuple[str, str, Path]:
    """The text, its name in messages, and the directory that it lies in."""
    if source == "-":
        raw, place, directory = sys.stdin.buffer.read(), "standard input", Path()
    elif source.lstrip().startswith("curl "):
        return source, "the command", Path()
    else:
        path = Path(source)
        if not path.is_file():
            raise ValidationFailed(f"There is no file {path}.")
        try:
            raw, place, directory = path.read_bytes(), path.name, path.parent
        except OSError as error:
            raise ValidationFailed(f"Cannot read {path}: {error.strerror}.") from error
    try:
        return raw.decode("utf-8-sig"), place, directory
    except UnicodeDecodeError as error:
        raise ValidationFailed(
            f"{place} is no text in UTF-8: byte {error.start} is not part of any."
        ) from error


def _write(path: Path, script: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(script)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already: give another name.") from error
    except OSError as error:
        raise ValidationFailed(f"Cannot write {path}: {error.strerror}.") from error
