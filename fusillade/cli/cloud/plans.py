"""The options of commands that keep a test: templates and schedules."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fusillade.cli.script_files import read_script
from fusillade.durations import parse_duration, show_duration
from fusillade.errors import ValidationFailed

Workers = Annotated[
    int | None, typer.Option("-w", "--workers", "--vus", min=1, help="Virtual users.")
]
Duration = Annotated[str | None, typer.Option("-d", "--duration", help="Such as 30s or 5m.")]
Region = Annotated[
    str | None, typer.Option(help="Such as eu-hel1, or eu-hel1:60,us-east-1:40 for two.")
]
Name = Annotated[str | None, typer.Option(help="What it is called.")]


def whole_seconds(duration: str) -> int:
    """What ``--duration`` says. Raises :class:`ValidationFailed`."""
    if duration.strip().isdecimal():
        raise ValidationFailed(
            f"--duration: say in which unit, such as {duration.strip()}s or {duration.strip()}m."
        )
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise ValidationFailed(f"--duration: {error}.") from error
    if seconds < 1 or seconds != int(seconds):
        raise ValidationFailed(
            f"--duration: a platform counts in whole seconds, and {show_duration(seconds)} is "
            "none; give one second or more."
        )
    return int(seconds)


def plan(
    *,
    name: str | None = None,
    script: Path | None = None,
    workers: int | None = None,
    duration: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The fields that were given, as the API names them. Raises :class:`ValidationFailed`."""
    fields = {
        "name": name,
        "script_content": None if script is None else read_script(script),
        "workers": workers,
        "duration_seconds": None if duration is None else whole_seconds(duration),
        "region": region,
    }
    return {name: value for name, value in fields.items() if value is not None}
