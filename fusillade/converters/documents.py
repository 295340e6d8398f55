"""JSON and YAML as people write them, with the place of what is wrong."""

import json
import re
from typing import Any

import yaml

from fusillade.errors import ValidationFailed


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Reads dates as the text that they are in JSON, and so what is no value of JSON."""


_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# As in YAML 1.2: on, off, yes and no are text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_json(source: str, place: str) -> Any:
    """The document. Raises :class:`ValidationFailed` with line and column."""
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise ValidationFailed(
            f"{place}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}."
        ) from error
    except RecursionError as error:
        raise ValidationFailed(f"{place} is nested too deeply to be read.") from error


def read_yaml(source: str, place: str) -> Any:
    """The document, as JSON has it: text for all names. Raises :class:`ValidationFailed` with line
    and column."""
    try:
        return _as_json(yaml.load(source, _Loader), place)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark is not None else place
        raise ValidationFailed(f"{where}: this is no YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ValidationFailed(f"{place}: this is no YAML: {error}.") from error
    except RecursionError as error:
        raise ValidationFailed(f"{place} is nested too deeply to be read.") from error


_MOST_VALUES = 1_000_000
"""Aliases can make very many out of a short document."""


def _as_json(document: Any, place: str) -> Any:
    left = _MOST_VALUES

    def converted(value: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValidationFailed(f"{place} has more than {_MOST_VALUES:,} values.")
        if isinstance(value, dict):
            return {_name(name): converted(one) for name, one in value.items()}
        if isinstance(value, list):
            return [converted(one) for one in value]
        if isinstance(value, str | int | float) or value is None:
            return value
        raise ValidationFailed(f"{place} has a value that JSON has not: {value!r}.")

    return converted(document)


def _name(name: Any) -> str:
    """A key as text: ``200:`` is a number in YAML."""
    if isinstance(name, bool):
        return "true" if name else "false"
    return str(name)
