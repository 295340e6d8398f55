"""Which platform the command line speaks to, and with which key.

``fusillade login`` keeps both in a private file below the user's configuration directory.
``FUSILLADE_API_URL`` and ``FUSILLADE_API_KEY`` win over it, for pipelines.
"""

import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fusillade.errors import InvalidAuth, ValidationFailed
from fusillade.private_files import write_private

DEFAULT_URL = "http://127.0.0.1:8000"
"""Where ``fusillade up`` listens if nothing else is said."""


@dataclass(frozen=True)
class Account:
    """A platform's address, without a slash at its end, and what authenticates there."""

    url: str
    key: str


def current() -> Account:
    """The account that commands use.

    Raises :class:`InvalidAuth` if nobody has logged in there, :class:`ValidationFailed`.
    """
    kept = read()
    given_url, given_key = os.environ.get("FUSILLADE_API_URL"), os.environ.get("FUSILLADE_API_KEY")
    url = checked_url(given_url) if given_url else (kept.url if kept else DEFAULT_URL)
    if given_key:
        return Account(url, checked_key(given_key))
    # A key is sent to the platform that it was made by, and to no other.
    if kept is None or kept.url != url:
        raise InvalidAuth(
            f"You are not logged in at {url}: run fusillade login KEY --api-url {url}, or set "
            "FUSILLADE_API_KEY. Keys are made on the platform's web page, under Keys."
        )
    return kept


def read() -> Account | None:
    """What the last login kept. Raises :class:`ValidationFailed` for a file that is broken."""
    path = _path()
    try:
        content = json.loads(path.read_bytes())
        return Account(checked_url(content["url"]), checked_key(content["key"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValidationFailed(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationFailed) as error:
        raise ValidationFailed(
            f"{path} is not what fusillade login writes: log in again, or remove it."
        ) from error


def keep(account: Account) -> Path:
    """Write the file; where it is. Raises :class:`ValidationFailed`."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = {"url": account.url, "key": account.key}
        write_private(path, json.dumps(document).encode() + b"\n")
    except OSError as error:
        raise ValidationFailed(f"Cannot write {path}: {error.strerror}.") from error
    return path


def forget() -> None:
    """Remove the file."""
    path = _path()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ValidationFailed(f"Cannot remove {path}: {error.strerror}.") from error


def checked_url(text: str) -> str:
    """Without slashes at its end. Raises :class:`ValidationFailed`."""
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.username or parts.query or parts.fragment or not url.isascii():
        raise ValidationFailed(
            f"The address {text!r} is wrong: write it as https://loads.example.com or "
            f"{DEFAULT_URL}."
        )
    return url


def checked_key(text: str) -> str:
    """A key that can stand in a header. Raises :class:`ValidationFailed`."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValidationFailed(
            "That is no API key: keys begin with fusi_ and have neither spaces nor line breaks."
        )
    return key


def is_loopback(url: str) -> bool:
    """Whether the address leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _path() -> Path:
    root = os.environ.get("XDG_CONFIG_HOME")
    # Relative paths there are to be ignored (XDG Base Directory Specification).
    directory = Path(root) if root and Path(root).is_absolute() else Path.home() / ".config"
    return directory / "fusillade" / "login.json"
