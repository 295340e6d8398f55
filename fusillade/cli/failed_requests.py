"""Where ``export`` and ``replay`` find failed requests: a result file, or a test on a platform."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer

from fusillade.errors import ValidationFailed
from fusillade.failures.outgoing import Outgoing, checked_base_url, outgoing
from fusillade.failures.record import FailedRequest

Source = Annotated[
    str,
    typer.Argument(
        help="A file of run --out json=FILE; or the id of a test on the platform.",
        metavar="FILE|ID",
    ),
]
Numbers = Annotated[
    list[int] | None,
    typer.Option("-n", "--number", min=1, help="Only this one, counted from 1; repeatable."),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="Send them there, such as http://127.0.0.1:8080.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

Found = tuple[int, FailedRequest, Outgoing]
"""Its number, and what to send."""


def read(
    source: str, numbers: Sequence[int], base_url: str | None, *, as_json: bool
) -> list[Found]:
    """The failed requests, or those of these numbers. Raises :class:`ValidationFailed`, and what
    the platform says."""
    if base_url is not None:
        checked_base_url(base_url)
    records = _records(source, as_json=as_json)
    for number in numbers:
        if number > len(records):
            raise ValidationFailed(f"{source} has {len(records)} failed requests, no {number}.")
    return [
        (number, record, outgoing(record, base_url))
        for number, record in enumerate(records, 1)
        if not numbers or number in numbers
    ]


def _records(source: str, *, as_json: bool) -> list[FailedRequest]:
    path = Path(source)
    if path.is_file():
        return _of_file(path)
    try:
        UUID(source)
    except ValueError:
        raise ValidationFailed(
            f"There is no file {source}, and it is not the id of a test either."
        ) from None
    from fusillade.cli.cloud.server import part
    from fusillade.cli.cloud.session import session

    with session(as_json) as here:
        answer = here.server.get(f"/api/v1/tests/{part(source)}/failures")
    return _converted(answer.data, "The platform's answer")


def _of_file(path: Path) -> list[FailedRequest]:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ValidationFailed(f"Cannot read {path}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationFailed(f"{path} is no JSON: {error}.") from error
    return _converted(document, str(path))


def _converted(document: Any, place: str) -> list[FailedRequest]:
    if not isinstance(document, dict) or "failures" not in document:
        raise ValidationFailed(
            f"{place} has no 'failures': give a file of fusillade run --out json=FILE."
        )
    try:
        return msgspec.convert(document["failures"], list[FailedRequest])
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"{place}: its failures cannot be read: {error}.") from error
