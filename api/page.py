"""``/``: the web page. Its files lie in ``api/web`` and are served as they are, with no build step.

The shell is the same for all of the page's addresses; the page reads its own. What the shell loads
lies below a path that carries a version, made from the contents: it can be kept for ever, and a
browser never runs old modules beside new ones.
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

ASSETS = "/assets/"
"""What lies below is not counted by the rate limits: one look at the page is dozens of files."""

router = APIRouter(include_in_schema=False)

_PAGES = (
    "sign-in",
    "runs",
    "new",
    "compare",
    "trends",
    "schedules",
    "templates",
    "webhooks",
    "keys",
    "team",
    "account",
    "invites",
)
"""First parts of the page's addresses."""
_METHODS = ["GET", "HEAD"]
_SHELL = "index.html"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECONDS_FOR_EVER = 365 * 24 * 3600


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'


def _read(directory: Traversable, prefix: str = "") -> Iterator[tuple[str, _File]]:
    """All files below, by their relative path."""
    for entry in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        else:
            suffix = entry.name[entry.name.rfind(".") :]
            guessed = _TYPES.get(suffix) or mimetypes.guess_type(entry.name)[0]
            yield (
                f"{prefix}{entry.name}",
                _File(entry.read_bytes(), guessed or "application/octet-stream"),
            )


def _examples() -> _File:
    """The scripts of ``examples/``, for who starts with one of them."""
    found = [
        {"name": entry.name, "title": _title(text), "script_content": text}
        for entry in sorted(files("fusillade.examples").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith((".js", ".ts"))
        for text in [entry.read_text()]
    ]
    return _File(json.dumps(found).encode(), "application/json")


def _title(script: str) -> str:
    """The first sentence of its comment."""
    first = re.split(r"[:.](?:\s|$)", script.lstrip("/* ").split("\n", 1)[0])[0]
    return first.strip()


def _load() -> tuple[_File, str, dict[str, _File]]:
    """The shell, the version of what it loads, and that."""
    found = dict(_read(files("api.web")))
    shell = found.pop(_SHELL)
    found["examples.json"] = _examples()
    digest = hashlib.sha256(shell.content)
    for path, file in sorted(found.items()):
        digest.update(path.encode() + b"\0" + file.content)
    version = digest.hexdigest()[:12]
    page = shell.content.replace(b"{version}", version.encode())
    return _File(page, "text/html"), version, found


_shell, _version, _assets = _load()


async def shell(request: Request) -> Response:
    """The page, whatever it will show."""
    headers = _HEADERS | {
        "Content-Security-Policy": _POLICY.format(sockets=_sockets(request)),
        "Cache-Control": "no-cache",
    }
    return _answer(request, _shell, headers)


for _path in ("/", *(f"/{page}{rest}" for page in _PAGES for rest in ("", "/{rest:path}"))):
    router.add_api_route(_path, shell, methods=_METHODS)


@router.api_route(ASSETS + "{version}/{path:path}", methods=_METHODS)
async def asset(request: Request, version: str, path: str) -> Response:
    """A file of the page's present version; others are not there any more."""
    file = _assets.get(path)
    if version != _version or file is None:
        raise HTTPException(404)
    headers = _HEADERS | {"Cache-Control": f"public, max-age={_SECONDS_FOR_EVER}, immutable"}
    return _answer(request, file, headers)


def _answer(request: Request, file: _File, headers: dict[str, str]) -> Response:
    headers = headers | {"ETag": file.etag}
    known = [
        tag.strip().removeprefix("W/")
        for tag in request.headers.get("if-none-match", "").split(",")
    ]
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _sockets(request: Request) -> str:
    """Browsers differ in whether 'self' includes WebSockets of the same host."""
    host = request.headers.get("host", "")
    return f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
