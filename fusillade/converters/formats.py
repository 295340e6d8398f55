"""Which format a file has, and its conversion to a script."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fusillade.converters import curl, har, openapi, postman
from fusillade.converters.documents import read_json, read_yaml
from fusillade.converters.model import Choices, Recipe, Request
from fusillade.errors import ValidationFailed

_DOCUMENTS: dict[str, Callable[[Any, str, Choices], Recipe]] = {
    "har": har.convert,
    "openapi": openapi.convert,
    "postman": postman.convert,
}
_YAML = re.compile(r"^[\"']?(?:openapi|swagger)[\"']?\s*:", re.MULTILINE)
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_FORBIDDEN = re.compile(r"[\r\n\0]")
FORMATS = (*_DOCUMENTS, "curl")


def read(source: str, place: str, directory: Path, choices: Choices, wanted: str | None) -> Recipe:
    """The requests of ``source``; ``place`` is its name in messages, ``directory`` where files that
    it names lie, ``wanted`` one of :data:`FORMATS` or None to find out.

    Raises :class:`ValidationFailed`.
    """
    if wanted is not None and wanted not in FORMATS:
        raise ValidationFailed(f"--format {wanted}: write one of {', '.join(FORMATS)}.")
    is_json = source.lstrip().startswith(("{", "["))
    is_yaml = not is_json and (wanted == "openapi" or _YAML.search(source) is not None)
    if wanted == "curl" or (wanted is None and not is_json and not is_yaml):
        recipe = curl.convert(source, place, directory, choices)
    else:
        document = read_yaml(source, place) if is_yaml else read_json(source, place)
        recipe = _DOCUMENTS[wanted or _format(document, place)](document, place, choices)
    if not recipe.requests():
        why = " ".join(recipe.notes)
        raise ValidationFailed(f"{place} leaves no request to make a test of. {why}".rstrip())
    for request in recipe.requests():
        _check(request, place)
    return recipe


def _check(request: Request, place: str) -> None:
    """What would make each run of the test fail is told now."""
    if not _TOKEN.match(request.method):
        raise ValidationFailed(
            f"{place}: the request '{request.name}' has the method '{request.method}', which HTTP "
            "does not allow."
        )
    for name, value in request.headers:
        texts = [part for part in value if isinstance(part, str)]
        if not _TOKEN.match(name) or any(_FORBIDDEN.search(part) for part in texts):
            raise ValidationFailed(
                f"{place}: the request '{request.name}' has the header '{name}' with characters "
                "that HTTP does not allow."
            )


def _format(document: Any, place: str) -> str:
    if isinstance(document, dict) and "log" in document:
        return "har"
    if isinstance(document, dict) and "item" in document and "info" in document:
        return "postman"
    if isinstance(document, dict) and ("openapi" in document or "swagger" in document):
        return "openapi"
    raise ValidationFailed(
        f"{place} is none of the formats {', '.join(FORMATS)}; --format says which one it is."
    )
