"""Sends one message to one receiver, and says what came of it."""

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from fusillade import __version__
from fusillade.errors import ValidationFailed
from fusillade.webhooks import signature
from fusillade.webhooks.attempts import Attempt, Outcome
from fusillade.webhooks.destinations import AddressRefused, connector
from fusillade.webhooks.urls import check_url

DELIVERY_HEADER = "X-Fusillade-Delivery"
"""The same in all attempts of a delivery: what comes with one that a receiver has seen is a repeat.
"""
EVENT_HEADER = "X-Fusillade-Event"
_KEPT_BYTES = 1024


class Sender:
    """Connections to receivers; made in the event loop that uses it."""

    def __init__(
        self,
        *,
        connections: int,
        allow_private: bool = False,
        ca_file: Path | None = None,
        limit_seconds: float = 10.0,
    ) -> None:
        self._allow_private = allow_private
        self._limit_seconds = limit_seconds
        tls = ssl.create_default_context()
        if ca_file is not None:
            tls.load_verify_locations(ca_file)
        self._session = aiohttp.ClientSession(
            connector=connector(tls, connections=connections, allow_private=allow_private),
            cookie_jar=aiohttp.DummyCookieJar(),
            # What is kept of an answer is what came, and a small answer cannot become a large one.
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers={
                "User-Agent": f"Fusillade-Webhooks/{__version__}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def send(self, attempt: Attempt, clock: Callable[[], float] = time.time) -> Outcome:
        """One attempt, within the limit. ``clock``: the Unix time that is signed."""
        began = time.perf_counter()
        answer = _Answer()
        error = None
        try:
            check_url(attempt.url, allow_private=self._allow_private)
            async with asyncio.timeout(self._limit_seconds):
                await self._post(attempt, int(clock()), answer)
        except ValidationFailed as refused:
            error = str(refused)
        except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as failure:
            # An answer whose body breaks off is an answer all the same.
            if answer.status is None:
                error = self._words(failure)
        if answer.status is not None and 300 <= answer.status < 400:
            error = "The answer is a redirect; redirects are not followed."
        return Outcome(
            duration_ms=round((time.perf_counter() - began) * 1000),
            status=answer.status,
            body=None if answer.status is None else answer.body.decode(errors="replace"),
            error=error,
        )

    async def _post(self, attempt: Attempt, timestamp: int, answer: "_Answer") -> None:
        first, *more = attempt.secrets
        headers = {
            signature.HEADER: signature.sign(attempt.body, first, timestamp, *more),
            DELIVERY_HEADER: str(attempt.delivery_id),
            EVENT_HEADER: attempt.event,
        }
        async with self._session.post(
            attempt.url, data=attempt.body.encode(), headers=headers, allow_redirects=False
        ) as response:
            answer.status = response.status
            while len(answer.body) < _KEPT_BYTES:
                chunk = await response.content.read(_KEPT_BYTES - len(answer.body))
                if not chunk:
                    break
                answer.body += chunk

    def _words(self, failure: Exception) -> str:
        """Why there was no answer, for the webhook's owner."""
        cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
        if isinstance(cause, AddressRefused):
            return f"The address is not allowed: {cause.strerror}."
        match failure:
            case TimeoutError():
                return f"There was no answer within {self._limit_seconds:g} s."
            case aiohttp.ClientConnectorDNSError():
                return "The name of the host cannot be found."
            case aiohttp.ClientConnectorCertificateError(certificate_error=reason):
                text = getattr(reason, "verify_message", "") or str(reason)
                return f"The host's certificate is not valid: {text}."
            case aiohttp.ClientSSLError():
                return "The TLS handshake failed: what listens there does not speak HTTPS."
            case aiohttp.ClientConnectorError(os_error=reason):
                return f"The connection failed: {reason.strerror or type(reason).__name__}."
            case aiohttp.ServerDisconnectedError():
                return "The connection was closed before an answer came."
            case aiohttp.InvalidURL():
                return "The URL cannot be used: it is not a valid one."
            case aiohttp.ClientResponseError():
                return "What answered is not HTTP."
            case OSError():
                return f"The connection broke: {failure.strerror or type(failure).__name__}."
        return f"The message could not be sent ({type(failure).__name__})."


class _Answer:
    """As much of an answer as has come."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = b""
