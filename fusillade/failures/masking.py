"""Takes secrets out of a failed request, before it leaves the script host.

What is secret is told by place (``Authorization``, ``Cookie``, the password of a URL) and by name
(``password``, ``api_key``, ... in queries, forms and JSON). A value that was found to be secret is
masked wherever else it stands in the same request and response.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from fusillade.failures.record import Header
from fusillade.secret_names import is_secret, is_secret_header

MASK = "***masked***"
"""In the place of a secret; it may stand in a URL."""

_SHORTEST = 6
"""A shorter value is masked in its own place only: elsewhere it may be anything."""
_USER = re.compile(r"^([a-z]+://[^/?#:@]*:)([^@/?#]*)(?=@)", re.IGNORECASE)
_FIELD = re.compile(r"(?<![^?&#;])([^=&#?;]+)=([^&#;]*)")
_FORM = re.compile(r"[^=&\s]+=[^\s]*")
_KEY = re.compile(r'"((?:[^"\\]|\\.){1,200})"\s*:\s*')
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\Z)|[^\s,}\]"]+', re.DOTALL)
_PART = re.compile(r'name="([^"]*)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)(?=\r\n--|\Z)', re.DOTALL)
_HAS_ADDRESS = ("location", "content-location", "referer", "origin", "link", "refresh")


class Masker:
    """Of one request and its response; ``env`` are the test's variables."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._values: set[str] = set()
        for name, value in env.items():
            if is_secret(name):
                self.note(value)

    def note(self, value: str) -> None:
        """This is a secret, in whatever form it stands somewhere."""
        for plain in (value, unquote_plus(value)):
            within = json.dumps(plain)[1:-1]  # a string of JSON, and of JSON in such a string
            for form in (plain, quote(plain, safe=""), within, json.dumps(within)[1:-1]):
                if len(form) >= _SHORTEST and form not in MASK:
                    self._values.add(form)

    def url(self, text: str) -> str:
        """An address without the secrets in its user and its query."""
        text = _USER.sub(lambda found: found[1] + self._hide(found[2]), text)
        address, mark, query = text.partition("?")
        return address + mark + self._fields(query)

    def header(self, name: str, value: str) -> Header:
        """A line of a head."""
        match name.lower():
            case "authorization" | "proxy-authorization":
                scheme, space, rest = value.partition(" ")
                if space:
                    return Header(name, f"{scheme} {self._hide(rest)}")
                return Header(name, self._hide(value))
            case "set-cookie":
                pair, semicolon, attributes = value.partition(";")
                cookie, _, content = pair.partition("=")
                return Header(name, f"{cookie}={self._hide(content)}{semicolon}{attributes}")
            case lower if is_secret_header(lower):
                return Header(name, self._hide(value))
            case lower if lower in _HAS_ADDRESS:
                return Header(name, self.url(value))
        return Header(name, value)

    def body(self, text: str) -> str:
        """A body, or the beginning of one."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                return self._json_like(text)
            try:
                masked = self._inside(value)
                return text if masked == value else _written(masked)
            except RecursionError:
                return self._json_like(text)
        if _FORM.fullmatch(text):
            return self._fields(text)
        return _PART.sub(self._part, self._json_like(text))

    def everywhere(self, text: str) -> str:
        """The same without the values that were found to be secret; called when all have been
        looked at."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text

    def _hide(self, value: str) -> str:
        if value == "":
            return value
        self.note(value)
        return MASK

    def _fields(self, text: str) -> str:
        def one(found: re.Match[str]) -> str:
            if not is_secret(_last_name(unquote_plus(found[1]))):
                return found[0]
            return f"{found[1]}={self._hide(found[2])}"

        return _FIELD.sub(one, text)

    def _part(self, found: re.Match[str]) -> str:
        if not is_secret(_last_name(found[1])):
            return found[0]
        return found[0][: found.start(2) - found.start()] + self._hide(found[2])

    def _inside(self, value: Any, secret: bool = False) -> Any:
        """A JSON value without what stands in it under a secret's name."""
        match value:
            case dict():
                return {
                    key: self._inside(one, secret or is_secret(key)) for key, one in value.items()
                }
            case list():
                return [self._inside(one, secret) for one in value]
            case str() if secret:
                return self._hide(value)
            case int() | float() if secret and not isinstance(value, bool):
                return MASK
        return value

    def _json_like(self, text: str) -> str:
        """Text that has ``"name": value`` in it, although it is no JSON: it is cut, say."""
        parts: list[str] = []
        at = 0
        while (key := _KEY.search(text, at)) is not None:
            end = key.end()
            parts.append(text[at:end])
            at = end
            if not is_secret(key[1]):
                continue
            if text[end : end + 1] in ("{", "["):
                # Where it ends is not known for sure: the rest goes.
                parts.append(f'"{MASK}"')
                at = len(text)
            elif (value := _VALUE.match(text, end)) is not None:
                if value[0] not in ("null", "true", "false", '""'):
                    self.note(value[1] or "")
                    parts.append(f'"{MASK}"')
                else:
                    parts.append(value[0])
                at = value.end()
        return "".join(parts) + text[at:]


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _last_name(name: str) -> str:
    """``password`` of ``user[password]`` and ``user.password``."""
    return re.split(r"[\[.]", name.rstrip("]"))[-1]
