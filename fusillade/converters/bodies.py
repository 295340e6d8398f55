"""Bodies as they were sent, as a person would write them in a script."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

from fusillade.converters.constants import Constants
from fusillade.converters.model import Body, Code, FormBody, JsonBody, Text, TextBody, text
from fusillade.secret_names import is_secret

FORM = "application/x-www-form-urlencoded"
_LARGEST_INTEGER = 2**53
_JSON_STRING_FIELD = re.compile(r'"(?P<name>[^"\\]+)"\s*:\s*"(?P<value>(?:[^"\\]|\\.)*)"')
_INDEX = re.compile(r"^(0|[1-9]\d*)$")


class _NotTheSame(ValueError):
    """A document that JavaScript would write otherwise."""


def textual(content: str, content_type: str, constants: Constants) -> Body:
    """A body by its type: a document or fields where they send the same, else the text itself."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json") or kind == "":
        found = document(content)
        if isinstance(found, dict | list):
            return JsonBody(hide_secrets(found, constants))
    if kind == FORM:
        fields = form_fields(content)
        if fields is not None:
            return FormBody([(name, field(name, value, constants)) for name, value in fields])
    return TextBody(_hidden(content, kind, constants))


def _hidden(content: str, kind: str, constants: Constants) -> Text:
    """A body that stays text, with constants where fields of it are secrets by name."""
    pieces: list[str | Code] = []
    if kind == FORM:
        for number, pair in enumerate(content.split("&")):
            name, equals, value = pair.partition("=")
            pieces.append(f"{'&' if number else ''}{name}{equals}")
            if value and is_secret(unquote_plus(name)):
                hidden = field(unquote_plus(name), unquote_plus(value), constants)
                pieces += [value] if isinstance(hidden[0], str) else encode_query(hidden)
            else:
                pieces.append(value)
        return text(*pieces)
    at = 0
    for match in _JSON_STRING_FIELD.finditer(content):
        if not match["value"] or not is_secret(match["name"]):
            continue
        hidden = field(match["name"], match["value"], constants)
        pieces += [content[at : match.start("value")], *hidden]
        at = match.end("value")
    return text(*pieces, content[at:])


def field(name: str, value: str, constants: Constants) -> Text:
    """A form's or a query's value, without the secret that it may be."""
    return constants.secret(name, value, f"the field {name}") if is_secret(name) else text(value)


def document(content: str) -> Any:
    """The JSON document, or None if there is none that JavaScript would write with the same
    values: numbers beyond its precision, and names that come twice, stay text."""
    try:
        return json.loads(
            content, object_pairs_hook=_object, parse_int=_integer, parse_float=_number
        )
    except (ValueError, RecursionError):
        return None


def hide_secrets(value: Any, constants: Constants) -> Any:
    """The document with its strings as :data:`Text`, secrets by name as constants."""
    if isinstance(value, dict):
        return {
            name: constants.secret(name, one, f"the field {name}")
            if isinstance(one, str) and is_secret(name)
            else hide_secrets(one, constants)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [hide_secrets(one, constants) for one in value]
    return value


def form_fields(content: str) -> list[tuple[str, str]] | None:
    """The fields of a URL-encoded body; None if an object would send them otherwise."""
    fields = parse_qsl(content, keep_blank_values=True, strict_parsing=False, encoding="utf-8")
    names = [name for name, _ in fields]
    interleaved = any(name in names[:at] and names[at - 1] != name for at, name in enumerate(names))
    if not fields or interleaved or any(_INDEX.match(name) for name in names):
        return None
    return fields if form_encoded(fields) == content else None


def form_encoded(fields: list[tuple[str, str]]) -> str:
    """As the engine's ``http.formEncode`` does it."""
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in fields)


def encode_query(value: Text) -> Text:
    """A value for a query; code goes through ``encodeURIComponent`` when the script runs."""
    return text(
        *(
            Code(f"encodeURIComponent({part.js})") if isinstance(part, Code) else quote(part, "")
            for part in value
        )
    )


def _encoded(value: str) -> str:
    return quote(value, safe="!'()*-._~", errors="replace").replace("%20", "+")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotTheSame
    return found


def _integer(digits: str) -> int:
    if abs(number := int(digits)) > _LARGEST_INTEGER or digits == "-0":
        raise _NotTheSame
    return number


def _number(digits: str) -> float:
    number = float(digits)
    if repr(number) != digits:
        raise _NotTheSame
    return number
