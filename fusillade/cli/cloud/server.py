"""The REST API over HTTP, as far as the command line needs it."""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from fusillade import __version__
from fusillade.cli.cloud.account import Account, is_loopback
from fusillade.errors import FusilladeError

_SECONDS = 60.0
_MOST_WAITS = 3
_LONGEST_WAIT_SECONDS = 60.0

_ADVICE = {
    "invalid_auth": "Log in with fusillade login KEY, or set FUSILLADE_API_KEY.",
    "insufficient_scope": "Use a key with that scope: fusillade keys create NAME --scope SCOPE.",
    "quota_exceeded": "fusillade quota shows what is left.",
    "worker_limit_exceeded": "fusillade quota shows the limits.",
    "duration_limit_exceeded": "fusillade quota shows the limits.",
    "region_restricted": "fusillade regions shows those that you may use.",
    "internal_error": "fusillade status shows which of its parts are down.",
}
"""What to do about an error, by its code."""


@dataclass(frozen=True)
class Answer:
    """A response: its JSON as it came, and read."""

    status: int
    raw: bytes
    data: Any


class ApiError(FusilladeError):
    """The API refused; ``raw`` is its answer."""

    def __init__(self, message: str, api_code: str, status: int, raw: bytes) -> None:
        super().__init__(message)
        self.api_code = api_code
        self.status = status
        self.raw = raw


class Unreachable(FusilladeError):
    """There is no answer, or not from a platform."""

    code: ClassVar[str] = "unreachable"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like others: the key goes to no other address than the one given."""

    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None


class Server:
    """Calls to one platform. No proxy of the environment stands before this machine itself."""

    def __init__(self, account: Account) -> None:
        self.account = account
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if is_loopback(account.url):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        """GET. Raises as :meth:`call`."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Answer:
        """POST. Raises as :meth:`call`."""
        return self.call("POST", path, body=body)

    def file(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """GET what is no JSON, or is to be kept as it came. Raises as :meth:`call`."""
        status, raw = self._answer("GET", path, query, None, {"Accept": "*/*"})
        return raw if status == 200 else self._read(status, raw, ()).raw

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: tuple[bytes, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """One request. Values of ``query`` that are None are left out; ``body`` goes as JSON,
        ``form`` is a body with its content type; ``accept`` are statuses that are no error.

        Who is told to slow down waits as long as told, three times at most. Raises
        :class:`ApiError`, :class:`Unreachable`.
        """
        headers = {"Accept": "application/json"}
        data = None
        if form is not None:
            data, headers["Content-Type"] = form
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        status, raw = self._answer(method, path, query, data, headers)
        return self._read(status, raw, accept)

    def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        data: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes]:
        url = self.account.url + path
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            url += "?" + urlencode(given, doseq=True)
        headers |= {
            "Authorization": f"Bearer {self.account.key}",
            "User-Agent": f"fusillade/{__version__}",
        }
        request = urllib.request.Request(url, data, headers, method=method)
        for attempt in range(_MOST_WAITS + 1):
            status, told, raw = self._send(request)
            wait = _seconds_to_wait(told) if status == 429 and attempt < _MOST_WAITS else None
            if wait is None:
                break
            time.sleep(wait)
        return status, raw

    def _send(self, request: urllib.request.Request) -> tuple[int, Message, bytes]:
        try:
            try:
                with self._opener.open(request, timeout=_SECONDS) as response:
                    return response.status, response.headers, response.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.headers, error.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"{self.account.url} cannot be reached: {_why(error)}. Is the platform up, and "
                "the address right? It is that of FUSILLADE_API_URL, or of fusillade login."
            ) from error

    def _read(self, status: int, raw: bytes, accept: tuple[int, ...]) -> Answer:
        try:
            data = json.loads(raw) if raw else None
        except ValueError:
            data = ...
        if 200 <= status < 300 or status in accept:
            if data is ...:
                raise self._stranger(status)
            return Answer(status, raw, data)
        if not isinstance(data, dict) or not isinstance(data.get("error"), str):
            raise self._stranger(status)
        code = str(data.get("code", ""))
        words = [data["error"].rstrip(), _ADVICE.get(code, "")]
        raise ApiError(" ".join(filter(None, words)), code, status, raw)

    def _stranger(self, status: int) -> Unreachable:
        return Unreachable(
            f"{self.account.url} answered {status} and not as a platform does: is the address "
            "right? It is that of FUSILLADE_API_URL, or of fusillade login."
        )


def part(text: str) -> str:
    """An id as one part of a path, whatever was typed."""
    return quote(text.strip(), safe="") or "-"


def _seconds_to_wait(headers: Message) -> float | None:
    told = str(headers.get("Retry-After", "1"))
    seconds = float(told) if told.isascii() and told.isdecimal() else 1.0
    return seconds if seconds <= _LONGEST_WAIT_SECONDS else None


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError | socket.timeout):
        return f"no answer within {_SECONDS:g} s"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower().rstrip(".")
    return (str(reason) or type(reason).__name__).rstrip(".")
