"""A failed request, ready to be sent again: with placeholders where its secrets were.

Each placeholder is filled from a variable. Their names begin with ``REPLAY_``, so that nothing that
happens to be in somebody's environment is sent to where a record says.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fusillade.converters.constants import environment_name
from fusillade.errors import ValidationFailed
from fusillade.failures.masking import MASK
from fusillade.failures.record import FailedRequest, Header
from fusillade.secret_names import is_secret, is_secret_header

_PREFIX = "REPLAY_"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_SCHEMES = {"bearer": "BEARER_TOKEN", "basic": "BASIC_CREDENTIALS"}
_BEFORE = re.compile(
    r'"(?P<json>[^"\\]+)"\s*:\s*"$|(?:^|[?&#;])(?P<field>[^=&#?;]+)=$'
    r'|name="(?P<part>[^"]*)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n$|(?P<user>://[^/?#:@]*:)$'
)
"""What stands before a masked value tells what it was."""


@dataclass(frozen=True)
class Placeholder:
    """A secret that has to be put in."""

    variable: str
    purpose: str
    """What it is, for the person who sets it."""


Parts = tuple[str | Placeholder, ...]


@dataclass(frozen=True)
class Outgoing:
    """What to send."""

    method: str
    url: Parts
    headers: list[tuple[str, Parts]]
    body: Parts | None
    missing_bytes: int | None
    """The size of a body that was not kept whole."""

    def placeholders(self) -> dict[str, str]:
        """All variables, and what each is."""
        found: dict[str, str] = {}
        for part in self._parts():
            if isinstance(part, Placeholder):
                found.setdefault(part.variable, part.purpose)
        return found

    @property
    def is_form(self) -> bool:
        """Whether the body consists of percent-encoded fields."""
        kinds = [value[0] for name, value in self.headers if name.lower() == "content-type"]
        return any("urlencoded" in str(kind).lower() for kind in kinds)

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON, by its first character."""
        first = (self.body or ("",))[0]
        return isinstance(first, str) and first.lstrip()[:1] in ("{", "[")

    def _parts(self) -> Iterator[str | Placeholder]:
        yield from self.url
        for _, value in self.headers:
            yield from value
        yield from self.body or ()


def outgoing(record: FailedRequest, base_url: str | None = None) -> Outgoing:
    """``base_url``: in the place of the address's scheme and host.

    Raises :class:`ValidationFailed` for a record that says what no request can be.
    """
    request = record.request
    if not _TOKEN.fullmatch(request.method) or not _ADDRESS.fullmatch(request.url):
        raise ValidationFailed(
            f"{request.method!r} {request.url!r} is no HTTP request; the record is broken."
        )
    url = request.url
    if base_url is not None:
        url = base_url.rstrip("/") + (_behind_the_host(url) or "/")
    body = request.body
    if body is not None and not body.whole:
        return Outgoing(
            request.method, _split(url), _headers(request.headers), None, body.size_bytes
        )
    text = None if body is None else _split(body.text)
    return Outgoing(request.method, _split(url), _headers(request.headers), text, None)


def checked_base_url(text: str) -> str:
    """Raises :class:`ValidationFailed` for what is no base address."""
    try:
        parts = urlsplit(text)
        right = bool(_ADDRESS.fullmatch(text) and parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise ValidationFailed(
            f"--base-url {text}: write it as http://HOST:PORT, or https://HOST/PATH."
        )
    return text


def filled(parts: Parts, value_of: Mapping[str, str], write: Callable[[str], str] = str) -> str:
    """The text with the values of its variables, each put down by ``write``."""
    return "".join(
        part if isinstance(part, str) else write(value_of[part.variable]) for part in parts
    )


def percent_encoded(value: str) -> str:
    """As a URL and a form need it."""
    return quote(value, safe="")


def json_escaped(value: str) -> str:
    """As a string of JSON needs it, between its quotes."""
    return json.dumps(value)[1:-1]


def _behind_the_host(url: str) -> str:
    return re.sub(r"^[^:]+://[^/?#]*", "", url)


def _headers(headers: list[Header]) -> list[tuple[str, Parts]]:
    found = []
    for header in headers:
        if not _TOKEN.fullmatch(header.name) or re.search(r"[\r\n\0]", header.value):
            raise ValidationFailed(
                f"The header {header.name!r} has a forbidden character; the record is broken."
            )
        found.append((header.name, _header(header.name, header.value)))
    return found


def _header(name: str, value: str) -> Parts:
    if name.lower() in ("authorization", "proxy-authorization"):
        scheme = value.partition(" ")[0] if value.endswith(f" {MASK}") else ""
        if scheme:
            variable = _SCHEMES.get(scheme.lower(), "CREDENTIALS")
            what = f"what follows {scheme} in the header {name}"
            return (f"{scheme} ", Placeholder(_PREFIX + variable, what))
    if is_secret_header(name):
        return _with(value, lambda _: Placeholder(_named(name), f"the header {name}"))
    what = f"a secret in the header {name}"
    return _with(value, lambda _: Placeholder(f"{_PREFIX}SECRET", what))


def _split(text: str) -> Parts:
    """An address or a body in parts."""

    def placeholder(before: str) -> Placeholder:
        found = _BEFORE.search(before)
        if found is not None and found["user"]:
            return Placeholder(f"{_PREFIX}PASSWORD", "the password in the address")
        name = "" if found is None else found["json"] or found["field"] or found["part"] or ""
        last = re.split(r"[\[.]", name.rstrip("]"))[-1]
        if not is_secret(last):
            return Placeholder(f"{_PREFIX}SECRET", "a secret")
        return Placeholder(_named(last), f"the field {last}")

    return _with(text, placeholder)


def _with(text: str, placeholder: Callable[[str], Placeholder]) -> Parts:
    """Placeholders where the mask stands; each is made from the text before it."""
    parts: list[str | Placeholder] = []
    pieces = text.split(MASK)
    for piece in pieces[:-1]:
        if piece:
            parts.append(piece)
        parts.append(placeholder(piece))
    if pieces[-1] or not parts:
        parts.append(pieces[-1])
    return tuple(parts)


def _named(name: str) -> str:
    return _PREFIX + environment_name(name)
