"""What the plain driver keeps of an origin, of a template and of a connection."""

import socket
from base64 import b64encode
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fusillade.engine.drivers.base import Template
from fusillade.engine.drivers.incoming import Incoming

HTTP_1 = 11
"""What rows say of the protocol."""

_METHODS_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))

Address = tuple[int, Any]
"""Address family and what ``connect`` takes."""


class Origin:
    """Where requests go: its addresses, and its idle connections."""

    __slots__ = ("addresses", "host", "idle", "known_until", "port", "resolving", "waiting")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.idle: list[Connection] = []
        self.addresses: list[Address] = []
        self.known_until = 0.0
        self.resolving = False
        self.waiting: list[Connection] = []


class Prepared:
    """A template as bytes."""

    __slots__ = ("head", "is_head", "origin", "whole")

    def __init__(self, origin: Origin, method: str, head: bytes, whole: bytes) -> None:
        self.origin = origin
        self.is_head = method == "HEAD"
        self.head = head
        """Up to where ``Content-Length`` may follow."""
        self.whole = whole
        """The request without a body."""


class Connection:
    """One connection, and the exchange that is under way on it (if ``slot`` is not negative)."""

    __slots__ = (
        "addresses",
        "began",
        "connected",
        "connecting",
        "deadline",
        "fd",
        "first_byte",
        "head",
        "incoming",
        "is_head",
        "looked_up",
        "message",
        "origin",
        "outgoing",
        "received",
        "retried",
        "reused",
        "sent",
        "series",
        "slot",
        "sock",
        "started",
    )

    sock: socket.socket

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.fd = -1
        self.addresses: list[Address] = []
        """Those that are left to be tried."""
        self.connecting = True
        self.outgoing: memoryview | None = None
        self.incoming: Incoming | None = None
        self.head = b""
        """The beginning of a head that has not come whole."""
        self.slot = -1
        self.series = -1
        self.message = b""
        self.is_head = False
        self.deadline = 0.0
        self.started = self.looked_up = self.connected = 0.0
        self.began = self.sent = self.first_byte = 0.0
        self.received = 0
        self.reused = False
        self.retried = False

    def failed_row(self, error: int, ended: float) -> tuple[float, ...]:
        """The exchange's row when no response came: what was never reached lasted no time, the
        rest was spent waiting."""
        began, sent = self.began, self.sent
        if self.reused:
            looked_up = connected = began
        else:
            looked_up = self.looked_up or ended
            connected = self.connected or ended
        if not self.connected:
            began = sent = ended
        return (
            self.slot,
            HTTP_1,
            self.series,
            0,
            error,
            (ended - began) * 1000,
            (looked_up - self.started) * 1000,
            (connected - looked_up) * 1000,
            0.0,
            (sent - began) * 1000,
            (ended - sent) * 1000,
            0.0,
            len(self.message) if self.connected else 0,
            self.received,
            1.0 if self.reused else 0.0,
        )


def prepare(
    template: Template, origins: dict[tuple[str, int], Origin], user_agent: str
) -> Prepared:
    """A template's bytes, and its origin (which is put among ``origins`` if it is new)."""
    parts = urlsplit(template.url)
    host = parts.hostname or ""
    port = parts.port or 80
    origin = origins.get((host, port))
    if origin is None:
        origin = origins[host, port] = Origin(host, port)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~[]|^`{}\\\"<>")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]|^`{}\\\"<>")
    names = {name.lower() for name, _ in template.headers}
    lines = [f"{template.method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {parts.netloc.rpartition('@')[2]}")
    if "user-agent" not in names:
        lines.append(f"User-Agent: {user_agent}")
    if "accept" not in names:
        lines.append("Accept: */*")
    if parts.username is not None and "authorization" not in names:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Authorization: Basic {b64encode(credentials.encode()).decode()}")
    lines += [
        f"{name}: {value}"
        for name, value in template.headers
        if name.lower() not in ("content-length", "transfer-encoding")
    ]
    head = ("\r\n".join(lines) + "\r\n").encode("utf-8")
    empty = b"Content-Length: 0\r\n" if template.method in _METHODS_WITH_BODY else b""
    return Prepared(origin, template.method, head, head + empty + b"\r\n")
