"""URLs of requests: their base as a constant, their secrets hidden, their names in the metrics."""

import re
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, unquote_plus, urlsplit

from fusillade.converters.bodies import encode_query, field
from fusillade.converters.constants import Constants
from fusillade.converters.model import Choices, Text, text
from fusillade.errors import ValidationFailed
from fusillade.secret_names import is_secret

_OPAQUE = re.compile(
    r"^(?:[0-9a-fA-F]{12,}|[0-9A-HJKMNP-TV-Z]{26}|(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,})$"
)
"""A segment that names one thing among many: hex digits, a ULID, a long mix of letters and digits.
Numbers and UUIDs are recognised by the engine itself."""
_ENGINES_OWN = re.compile(r"^(?:\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$")


def origin(url: str) -> str:
    """``https://host:port``."""
    return "/".join(url.split("/", 3)[:3]).partition("?")[0].partition("#")[0]


def main_origin(urls: Iterable[str]) -> str | None:
    """The one that most of the URLs have; of equals the first."""
    most = Counter(origin(url) for url in urls).most_common(1)
    return most[0][0] if most else None


def address(url: str, base: str | None, constants: Constants) -> Text:
    """A URL as the script has it: from ``base`` on, and with constants for secrets in the query."""
    url = url.partition("#")[0]
    path, question, query = url.partition("?")
    pieces: list[Text] = [text(path)]
    if base is not None and origin(path) == base:
        pieces = [(constants.named("BASE_URL", text(base)),), text(path[len(base) :])]
    if question:
        pieces.append(text("?"))
    for number, pair in enumerate(query.split("&") if query else []):
        name, equals, value = pair.partition("=")
        pieces.append(text("&" if number else "", name, equals))
        plain = unquote_plus(name)
        if value and is_secret(plain):
            hidden = field(plain, unquote_plus(value), constants)
            pieces.append(text(value) if isinstance(hidden[0], str) else encode_query(hidden))
        else:
            pieces.append(text(value))
    return text(*(part for piece in pieces for part in piece))


def metric_name(method: str, url: str) -> str | None:
    """A name with ``:id`` for segments that the engine would not see as one; None if it would."""
    path, *_ = re.split(r"[?#]", url, maxsplit=1)
    start = origin(path)
    segments = path[len(start) :].split("/")
    if not any(_OPAQUE.match(one) and not _ENGINES_OWN.match(one) for one in segments):
        return None
    shown = (":id" if _OPAQUE.match(one) or _ENGINES_OWN.match(one) else one for one in segments)
    return f"{method} {start}{'/'.join(shown)}"


def short_name(method: str, url: str) -> str:
    """Method and path, for people. Raises :class:`ValidationFailed`."""
    path = _split(url).path or "/"
    segments = (
        ":id" if _OPAQUE.match(one) or _ENGINES_OWN.match(one) else one for one in path.split("/")
    )
    return f"{method} {'/'.join(segments)}"


def is_chosen(url: str, choices: Choices) -> bool:
    """Whether --only and --skip let a request pass: each a host, or a pattern for host, path or
    URL."""
    if choices.only and not any(_matches(url, pattern) for pattern in choices.only):
        return False
    return not any(_matches(url, pattern) for pattern in choices.skip)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise ValidationFailed(f"{url} is not a valid URL: {error}.") from error


def _matches(url: str, pattern: str) -> bool:
    parts = _split(url)
    whole = url.partition("#")[0]
    candidates = (parts.hostname or "", parts.netloc, parts.path or "/", whole)
    return any(fnmatchcase(one, pattern) for one in candidates)
