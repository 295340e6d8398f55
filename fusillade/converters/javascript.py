"""Values as JavaScript source, the way a person would write them."""

import base64
import json
import re
from typing import Any

from fusillade.converters.model import Code, Text

WIDTH = 100
"""Columns of a line, where it can be helped."""
_IDENTIFIER = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(value: str) -> str:
    """A literal, in the quotes that need no escape if there are such."""
    quote = '"' if "'" in value and '"' not in value else "'"
    return quote + "".join(_escaped(letter, quote) for letter in value) + quote


def expression(value: Text) -> str:
    """A text with code in it: a literal, a name, or a template."""
    if not value:
        return "''"
    if len(value) == 1:
        only = value[0]
        return only.js if isinstance(only, Code) else string(only)
    pieces = []
    for part in value:
        if isinstance(part, Code):
            pieces.append(f"${{{part.js}}}")
        else:
            escaped = "".join(_escaped(letter, "`") for letter in part)
            pieces.append(escaped.replace("${", "\\${"))
    return f"`{''.join(pieces)}`"


def literal(value: Any, indent: int = 0, used: int = 0) -> str:
    """A document as a literal: on one line where there is room for it, else one field a line.

    ``indent`` is that of the line it begins on, ``used`` the columns that are taken there.
    """
    flat = _flat(value)
    if "\n" not in flat and used + len(flat) < WIDTH:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict) and value:
        fields = []
        for name, one in value.items():
            taken = len(f"{inner}{key(name)}: ") + 1
            fields.append(f"{inner}{_field(name, literal(one, indent + 2, taken))},")
        return "\n".join(["{", *fields, f"{' ' * indent}}}"])
    if isinstance(value, list) and value:
        items = [f"{inner}{literal(one, indent + 2, indent + 3)}," for one in value]
        return "\n".join(["[", *items, f"{' ' * indent}]"])
    return flat


def key(name: str) -> str:
    """A field's name in an object literal."""
    if name == "__proto__":  # as a plain name it would set the prototype
        return "['__proto__']"
    return name if _IDENTIFIER.match(name) else string(name)


def data(content: bytes) -> str:
    """Bytes: as text where they are some, else as base64."""
    try:
        return string(content.decode("utf-8"))
    except UnicodeDecodeError:
        encoded = base64.b64encode(content).decode()
        return f"encoding.b64decode('{encoded}', 'std', 'b')"


def comment(value: str) -> str:
    """Text that stays within one line of comment."""
    return re.sub(r"[\s\u2028\u2029]+", " ", value).strip()


def _flat(value: Any) -> str:
    match value:
        case Code():
            return value.js
        case tuple():
            return expression(value)
        case str():
            return string(value)
        case dict():
            fields = ", ".join(_field(name, _flat(one)) for name, one in value.items())
            return f"{{ {fields} }}" if fields else "{}"
        case list():
            return f"[{', '.join(_flat(one) for one in value)}]"
        case _:
            return json.dumps(value)


def _field(name: str, value: str) -> str:
    is_name = name == value and _IDENTIFIER.match(name) and name not in ("true", "false", "null")
    return name if is_name else f"{key(name)}: {value}"


def _escaped(letter: str, quote: str) -> str:
    if letter == quote:
        return f"\\{letter}"
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter < " " or letter in "\x7f\u2028\u2029\ufeff" or "\ud800" <= letter <= "\udfff":
        return f"\\u{ord(letter):04x}"
    return letter
