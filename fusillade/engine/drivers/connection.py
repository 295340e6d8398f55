"""What the plain driver keeps of an origin, of a template and of a connection."""

import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from fusillade.engine.drivers.base import Template
from fusillade.engine.drivers.incoming import Incoming
from fusillade.engine.drivers.tls import Secure

HTTP_1 = 11
"""What rows say of the protocol."""

METHODS_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_DEFAULT_PORTS = {"http": 80, "https": 443}

Address = tuple[int, Any]
"""Address family and what ``connect`` takes."""


class Origin:
    """Where requests go: its addresses, and its idle connections."""

    __slots__ = (
        "addresses",
        "context",
        "host",
        "idle",
        "known_until",
        "port",
        "probing",
        "protocol",
        "queued",
        "resolving",
        "sessions",
        "waiting",
    )

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.host = host
        self.port = port
        self.context = context
        """For ``https://``."""
        self.idle: list[Connection] = []
        self.addresses: list[Address] = []
        self.known_until = 0.0
        self.resolving = False
        self.waiting: list[Connection] = []
        """Those that wait for the addresses."""
        self.protocol: str | None = None if context else "http/1.1"
        """As ALPN names it; None until the first handshake is over."""
        self.probing = False
        """Whether that handshake is under way."""
        self.queued: list[Connection] = []
        """Those that wait for it."""
        self.sessions: list[Any] = []
        """HTTP/2 sessions (``drivers.http2.Session``)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template as it goes over the wire."""

    origin: Origin
    template: Template
    is_head: bool
    head: bytes
    """HTTP/1.1, up to where ``Content-Length`` may follow."""
    whole: bytes
    """HTTP/1.1, the request without a body."""
    parts: SplitResult


class Connection:
    """One connection, and the exchange that is under way on it (if ``slot`` is not negative).

    ``_native.Connection`` is the same in C."""

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
        "request",
        "retried",
        "reused",
        "secure",
        "secured",
        "sent",
        "series",
        "slot",
        "sock",
        "started",
    )

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.request: Any = None
        """While the protocol is not known: what the request is made of, or its HTTP/2 stream."""
        self.sock: socket.socket | None = None
        self.secure: Secure | None = None
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
        self.started = self.looked_up = self.connected = self.secured = 0.0
        self.began = self.sent = self.first_byte = 0.0
        self.received = 0
        self.reused = False
        self.retried = False


def connection_phases(connection: Connection, ended: float) -> tuple[float, float, float]:
    """``blocked``, ``connecting`` and ``tls_handshaking`` in milliseconds. A phase that was not
    reached took no time; one that was under way when the exchange ended took up to ``ended``."""
    if connection.reused:
        return (connection.began - connection.started) * 1000, 0.0, 0.0
    looked_up = connection.looked_up or ended
    connected = connection.connected or ended
    secured = connection.secured or (ended if connection.secure is not None else connected)
    return (
        (looked_up - connection.started) * 1000,
        (connected - looked_up) * 1000,
        (secured - connected) * 1000,
    )


def failed_row(connection: Connection, error: int, ended: float) -> tuple[float, ...]:
    """The exchange's row when no response came; after it was sent, all time was spent waiting."""
    began, sent = connection.began, connection.sent
    is_open = connection.reused or not connection.connecting
    if not is_open:
        began = sent = ended
    return (
        connection.slot,
        HTTP_1,
        connection.series,
        0,
        error,
        (ended - began) * 1000,
        *connection_phases(connection, ended),
        (sent - began) * 1000,
        (ended - sent) * 1000,
        0.0,
        len(connection.message) if is_open else 0,
        connection.received,
        1.0 if connection.reused else 0.0,
    )


def prepare(
    template: Template,
    origins: dict[tuple[str, str, int], Origin],
    user_agent: str,
    context: ssl.SSLContext | None,
) -> Prepared:
    """A template's bytes, and its origin (which is put among ``origins`` if it is new)."""
    parts = urlsplit(template.url)
    host = parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    origin = origins.get((parts.scheme, host, port))
    if origin is None:
        origin = origins[parts.scheme, host, port] = Origin(host, port, context)
    lines = [f"{template.method} {target_of(parts)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields_of(template, parts, user_agent)]
    head = ("\r\n".join(lines) + "\r\n").encode("utf-8")
    empty = b"Content-Length: 0\r\n" if template.method in METHODS_WITH_BODY else b""
    return Prepared(
        origin, template, template.method == "HEAD", head, head + empty + b"\r\n", parts
    )


def target_of(parts: SplitResult) -> str:
    """Path and query as they are sent."""
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~[]|^`{}\\\"<>")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]|^`{}\\\"<>")
    return target


def fields_of(template: Template, parts: SplitResult, user_agent: str) -> list[tuple[str, str]]:
    """All header fields but those that tell of the body; ``Host`` first if it is not given."""
    names = {name.lower() for name, _ in template.headers}
    fields = []
    if "host" not in names:
        fields.append(("Host", parts.netloc.rpartition("@")[2]))
    if "user-agent" not in names:
        fields.append(("User-Agent", user_agent))
    if "accept" not in names:
        fields.append(("Accept", "*/*"))
    if parts.username is not None and "authorization" not in names:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        fields.append(("Authorization", f"Basic {b64encode(credentials.encode()).decode()}"))
    fields += [
        (name, value)
        for name, value in template.headers
        if name.lower() not in ("content-length", "transfer-encoding")
    ]
    return fields
