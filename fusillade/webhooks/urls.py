"""Where a webhook may lead: HTTPS only, and not into the network that the platform stands in.

This looks at the URL as it is written. A name may still lead to a private address, now or later:
whoever sends looks at the address that the connection goes to.
"""

import re
from urllib.parse import SplitResult, urlsplit

from fusillade.addresses import Kind, kind_of_host
from fusillade.errors import ValidationFailed

_MOST_CHARACTERS = 2048
_UNFIT = re.compile(r"[\x00-\x20\x7f\\<>\"{}|^`\ud800-\udfff]")
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")
_NEVER: tuple[Kind, ...] = ("metadata", "link-local", "reserved")
IN_WORDS: dict[Kind, str] = {
    "private": "a private address",
    "loopback": "this machine itself",
    "link-local": "a link-local address",
    "metadata": "a cloud's metadata",
    "reserved": "an address that no host has",
}


def check_url(url: str, *, allow_private: bool = False) -> None:
    """Raises :class:`ValidationFailed` for a URL that no webhook may have.

    ``allow_private`` opens loopback and private addresses; link-local and metadata addresses stay
    closed.
    """
    split = _split(url)
    if split.scheme.lower() != "https":
        raise ValidationFailed("url must be HTTPS: it begins with https://.")
    if split.username is not None or split.password is not None:
        raise ValidationFailed(
            "url must not carry a user or a password; deliveries are signed instead."
        )
    host = split.netloc if split.port is None else split.netloc.rpartition(":")[0]
    host = host.removesuffix(":")
    if not split.hostname or _HOST.fullmatch(host) is None:
        raise ValidationFailed("url has no valid host: write it as https://your-server.com/path.")
    kind = kind_of_host(host)
    if kind is None or is_open(kind, allow_private=allow_private):
        return
    raise ValidationFailed(
        f"url leads to {IN_WORDS[kind]} ({split.hostname}); webhooks go to public hosts only."
    )


def is_open(kind: Kind, *, allow_private: bool) -> bool:
    """Whether webhooks may lead to addresses of this kind."""
    return kind == "public" or (allow_private and kind not in _NEVER)


def _split(url: str) -> SplitResult:
    if len(url) > _MOST_CHARACTERS:
        raise ValidationFailed(f"url has more than {_MOST_CHARACTERS:,} characters.")
    # urlsplit() drops tabs and line ends silently, and readers differ over a backslash.
    if _UNFIT.search(url):
        raise ValidationFailed("url has characters that a URL cannot have; percent-encode them.")
    try:
        split = urlsplit(url)
        if split.port == 0:
            raise ValueError("Port 0")
    except ValueError as error:
        raise ValidationFailed(f"url is not a valid URL: {error}.") from error
    return split
