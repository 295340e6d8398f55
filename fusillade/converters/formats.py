"""Which format a file has, and its conversion to a script."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fusillade.converters import curl, har, postman
from fusillade.converters.model import Choices, Recipe
from fusillade.errors import ValidationFailed

_DOCUMENTS: dict[str, Callable[[Any, str, Choices], Recipe]] = {
    "har": har.convert,
    "postman": postman.convert,
}
FORMATS = (*_DOCUMENTS, "curl")


def read(source: str, place: str, directory: Path, choices: Choices, wanted: str | None) -> Recipe:
    """The requests of ``source``; ``place`` is its name in messages, ``directory`` where files that
    it names lie, ``wanted`` one of :data:`FORMATS` or None to find out.

    Raises :class:`ValidationFailed`.
    """
    if wanted is not None and wanted not in FORMATS:
        raise ValidationFailed(f"--format {wanted}: write one of {', '.join(FORMATS)}.")
    if wanted == "curl" or (wanted is None and not source.lstrip().startswith(("{", "["))):
        recipe = curl.convert(source, place, directory, choices)
    else:
        document = _document(source, place)
        recipe = _DOCUMENTS[wanted or _format(document, place)](document, place, choices)
    if not recipe.requests():
        why = " ".join(recipe.notes)
        raise ValidationFailed(f"{place} leaves no request to make a test of. {why}".rstrip())
    return recipe


def _document(source: str, place: str) -> Any:
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise ValidationFailed(
            f"{place}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}."
        ) from error
    except RecursionError as error:
        raise ValidationFailed(f"{place} is nested too deeply to be read.") from error


def _format(document: Any, place: str) -> str:
    if isinstance(document, dict) and "log" in document:
        return "har"
    if isinstance(document, dict) and "item" in document and "info" in document:
        return "postman"
    raise ValidationFailed(
        f"{place} is none of the formats {', '.join(FORMATS)}; --format says which one it is."
    )
