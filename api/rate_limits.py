"""How often one client may ask: ``RateLimit-*`` on each answer, ``rate_limited`` on too many.

Clients are told apart by IP address. Serve's HAProxy stands in front of the replicas; it says in a
header of its own which address it saw (see ``actors.platform``), and only that header is believed,
for what a client has sent under the same name stands before it. Proxies beyond it are believed if
the settings name them.
"""

import json
import os

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actors.platform import PEER_HEADER, forwards_peers
from api.page import ASSETS
from fusillade.client_address import client_address, counted_as
from fusillade.errors import RateLimited
from fusillade.request_counts import Count, Limit, RequestCounts
from fusillade.settings import Settings

_AUTHENTICATION = ("/api/v1/auth/", "/api/v1/invites/")
"""Where passwords and tokens can be guessed."""
_FREE = ("/health",)


class RateLimits:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._trusted = tuple(settings.trusted_proxies)
        self._behind_haproxy = forwards_peers(os.environ)
        self._general = Limit("general", settings.rate_limit_requests, settings.rate_limit_seconds)
        self._authentication = Limit(
            "authentication", settings.rate_limit_auth_requests, settings.rate_limit_auth_seconds
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, and let it pass or answer 429."""
        limit = self._limit_of(scope)
        if limit is None:
            await self._app(scope, receive, send)
            return
        counts: RequestCounts = scope["app"].state.platform.request_counts
        count = counts.count(limit, counted_as(self._client(scope)))
        if not count.allowed:
            await _refuse(scope, receive, send, limit, count)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_headers(limit, count))
            await send(message)

        await self._app(scope, receive, with_headers)

    def _limit_of(self, scope: Scope) -> Limit | None:
        if scope["type"] not in ("http", "websocket"):
            return None
        if scope["path"] in _FREE or scope["path"].startswith(ASSETS):
            return None
        guessing = scope["path"].startswith(_AUTHENTICATION)
        limit = self._authentication if guessing else self._general
        return limit if limit.requests else None

    def _client(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        if self._behind_haproxy:
            peer = (headers.getlist(PEER_HEADER) or [peer])[-1]
        return client_address(peer, headers.getlist("x-forwarded-for"), self._trusted)


def _headers(limit: Limit, count: Count) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(limit.requests),
        "RateLimit-Remaining": str(count.remaining),
        "RateLimit-Reset": str(count.reset_seconds),
    }


async def _refuse(scope: Scope, receive: Receive, send: Send, limit: Limit, count: Count) -> None:
    """Answer 429, also to who wants a WebSocket and is not connected yet."""
    error = RateLimited(
        f"Too many requests: {limit.requests} in {limit.seconds:g} s are allowed here; "
        f"try again in {count.reset_seconds} s."
    )
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1013, "reason": error.message[:120]})
            return
        kind = "websocket.http.response"
    headers = _headers(limit, count) | {
        "Retry-After": str(count.reset_seconds),
        "Content-Type": "application/json",
    }
    start = {"type": f"{kind}.start", "status": error.http_status, "headers": []}
    MutableHeaders(scope=start).update(headers)
    await send(start)
    body = json.dumps({"error": error.message, "code": error.code}).encode()
    await send({"type": f"{kind}.body", "body": body})
