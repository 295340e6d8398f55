"""The driver for plain HTTP/1.1 (``http://``): sockets of our own, and nothing in between.

All workers share the connections of an origin, as with the other driver: a request takes the one
that became idle last, or opens one. A response whose head has been seen before, byte for byte
(which is most of them: a server's heads differ by the second in ``Date``), is known by that head;
any other is parsed by httptools, and so is everything that is not a whole response with a
``Content-Length`` in one piece.
"""

import asyncio
import errno
import select
import socket
import time
from base64 import b64encode
from collections import deque
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httptools

from fusillade.engine.drivers.base import OnReady, Template
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES

_TIMED_OUT = ERROR_CODES.index("ETIMEDOUT")
_NOT_FOUND = ERROR_CODES.index("ENOTFOUND")
_REFUSED = ERROR_CODES.index("ECONNREFUSED")
_RESET = ERROR_CODES.index("ECONNRESET")
_NETWORK = ERROR_CODES.index("ENETWORK")

_HTTP_1 = 11
_READ_BYTES = 64 << 10
_LONGEST_HEAD = 1 << 20
_MOST_HEADS = 512
_MOST_EVENTS = 4096
_ADDRESS_SECONDS = 60.0
_METHODS_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_IN = select.EPOLLIN
_OUT = select.EPOLLOUT

now = time.perf_counter

Address = tuple[int, Any]
"""Address family and what ``connect`` takes."""


class _Origin:
    """Where requests go: its addresses, and its idle connections."""

    __slots__ = ("addresses", "host", "idle", "known_until", "port", "resolving", "waiting")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.idle: list[_Connection] = []
        self.addresses: list[Address] = []
        self.known_until = 0.0
        self.resolving = False
        self.waiting: list[_Request] = []


class _Prepared:
    """A template as bytes."""

    __slots__ = ("head", "method", "origin", "whole")

    def __init__(self, origin: _Origin, method: str, head: bytes, whole: bytes) -> None:
        self.origin = origin
        self.method = method
        self.head = head
        """Up to where ``Content-Length`` may follow."""
        self.whole = whole
        """The request without a body."""


class _Request:
    """One exchange under way."""

    __slots__ = (
        "began",
        "connect_began",
        "connected",
        "deadline",
        "first_byte",
        "looked_up",
        "message",
        "method",
        "origin",
        "received",
        "retried",
        "reused",
        "sent",
        "series",
        "slot",
        "started",
    )

    def __init__(self, slot: int, series: int, prepared: _Prepared, message: bytes) -> None:
        self.slot = slot
        self.series = series
        self.origin = prepared.origin
        self.method = prepared.method
        self.message = message
        self.deadline = 0.0
        self.started = self.looked_up = self.connect_began = self.connected = 0.0
        self.began = self.sent = self.first_byte = 0.0
        self.received = 0
        self.reused = True
        self.retried = False


class _Connection:
    """One socket, and the response that is coming in on it."""

    __slots__ = (
        "addresses",
        "connecting",
        "fd",
        "head",
        "incoming",
        "origin",
        "outgoing",
        "request",
        "sock",
    )

    def __init__(self, origin: _Origin, sock: socket.socket, addresses: list[Address]) -> None:
        self.origin = origin
        self.sock = sock
        self.fd = sock.fileno()
        self.addresses = addresses
        """Those that are left to be tried."""
        self.connecting = True
        self.request: _Request | None = None
        self.outgoing: memoryview | None = None
        self.incoming: _Incoming | None = None
        self.head = b""
        """The beginning of a head that has not come whole."""


class _Incoming:
    """A response that is parsed piece by piece (httptools calls the ``on_`` methods)."""

    def __init__(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = method == "HEAD"
        self._headers: list[bytes] = []
        self._reason = b""
        self._body: list[bytes] = []
        self._has_length = False
        self.in_body = False
        self.done = False
        self.keep_alive = True
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Raises ``httptools.HttpParserError`` for what is not HTTP."""
        self._parser.feed_data(data)

    def end(self) -> bool:
        """The connection was closed; whether that is how this response ends."""
        if self.in_body and not self._has_length:
            self.done = True
            self.keep_alive = False
        return self.done

    @property
    def until_close(self) -> bool:
        """Whether the body ends where the connection does."""
        return self.in_body and not self._has_length

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_body:
            return  # a trailer
        self._headers.append(name + b": " + value)
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200 and self.status != 101:
            return
        self.in_body = True
        self.keep_alive = self._parser.should_keep_alive()
        if self._is_head or self.status in (204, 304):
            self._has_length = True
            self.done = True

    def on_body(self, body: bytes) -> None:
        if not self.done:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.in_body:
            self.done = True
            return
        self._headers.clear()
        self._reason = b""
        self._has_length = False

    def content(self) -> tuple[bytes, int]:
        """Head and body, and the length of the head."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, self._reason), *self._headers]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        return head + b"".join(self._body), len(head)


class PlainDriver:
    """A :class:`fusillade.engine.drivers.base.Driver` for ``http://``."""

    def __init__(self, on_ready: OnReady, *, user_agent: str) -> None:
        self._on_ready = on_ready
        self._user_agent = user_agent
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), on_ready)
        self._origins: dict[tuple[str, int], _Origin] = {}
        self._prepared: dict[int, _Prepared] = {}
        self._connections: dict[int, _Connection] = {}
        self._under_way: dict[int, tuple[_Request, _Connection | None]] = {}
        self._heads: dict[bytes, tuple[int, int, int]] = {}
        self._finished: deque[tuple[Any, ...]] = deque()
        self._exchange: Exchange | None = None
        self._next_look = float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._closed = False

    # ---- requests --------------------------------------------------------------------------

    def submit(
        self, slot: int, template: Template, series: int, body: bytes | None, timeout_ms: float
    ) -> None:
        prepared = self._prepared.get(template.number)
        if prepared is None:
            prepared = self._prepared[template.number] = self._prepare(template)
        if body is None:
            message = prepared.whole
        else:
            message = b"%bContent-Length: %d\r\n\r\n%b" % (prepared.head, len(body), body)
        request = _Request(slot, series, prepared, message)
        started = request.started = now()
        deadline = request.deadline = started + timeout_ms / 1000
        if deadline < self._next_look:
            self._look_at(deadline)
        idle = prepared.origin.idle
        if idle:
            self._send(idle.pop(), request)
        else:
            self._open(request)

    def _prepare(self, template: Template) -> _Prepared:
        parts = urlsplit(template.url)
        host = parts.hostname or ""
        port = parts.port or 80
        origin = self._origins.get((host, port))
        if origin is None:
            origin = self._origins[host, port] = _Origin(host, port)
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~[]|^`{}\\\"<>")
        if parts.query:
            target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]|^`{}\\\"<>")
        names = {name.lower() for name, _ in template.headers}
        lines = [f"{template.method} {target} HTTP/1.1"]
        if "host" not in names:
            lines.append(f"Host: {parts.netloc.rpartition('@')[2]}")
        if "user-agent" not in names:
            lines.append(f"User-Agent: {self._user_agent}")
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
        return _Prepared(origin, template.method, head, head + empty + b"\r\n")

    def cancel(self, slot: int) -> None:
        under_way = self._under_way.pop(slot, None)
        if under_way is None:
            self._finished = deque(entry for entry in self._finished if entry[0] != slot)
            return
        request, connection = under_way
        if connection is not None:
            connection.request = None
            self._close(connection)
        elif request in request.origin.waiting:
            request.origin.waiting.remove(request)

    def _send(self, connection: _Connection, request: _Request) -> None:
        connection.request = request
        self._under_way[request.slot] = (request, connection)
        message = request.message
        began = request.began = now()
        try:
            sent = connection.sock.send(message)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._broke(connection, _RESET)
            return
        request.sent = began if sent < len(message) else now()
        if sent < len(message):
            connection.outgoing = memoryview(message)[sent:]
            self._epoll.modify(connection.fd, _IN | _OUT)

    def _send_more(self, connection: _Connection) -> None:
        outgoing, request = connection.outgoing, connection.request
        assert outgoing is not None
        try:
            sent = connection.sock.send(outgoing)
        except BlockingIOError:
            return
        except OSError:
            # The answer may have come already: reading tells.
            sent = len(outgoing)
        if request is not None:
            request.sent = now()
        connection.outgoing = outgoing[sent:] if sent < len(outgoing) else None
        if connection.outgoing is None:
            self._epoll.modify(connection.fd, _IN)

    # ---- connections -----------------------------------------------------------------------

    def _open(self, request: _Request) -> None:
        """Begin a new connection for a request."""
        origin = request.origin
        request.reused = False
        self._under_way[request.slot] = (request, None)
        if origin.known_until < request.started or not origin.addresses:
            origin.waiting.append(request)
            if not origin.resolving:
                origin.resolving = True
                task = self._loop.create_task(self._look_up(origin))
                self._lookups.add(task)
                task.add_done_callback(self._lookups.discard)
            return
        request.looked_up = now()
        self._connect(request, list(origin.addresses))

    async def _look_up(self, origin: _Origin) -> None:
        try:
            found = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            origin.addresses = list(dict.fromkeys((entry[0], entry[4]) for entry in found))
        except (OSError, UnicodeError):
            origin.addresses = []
        origin.known_until = now() + _ADDRESS_SECONDS
        origin.resolving = False
        waiting, origin.waiting = origin.waiting, []
        for request in waiting:
            request.looked_up = now()
            if origin.addresses:
                self._connect(request, list(origin.addresses))
            else:
                self._finish(request, _NOT_FOUND)
        self._on_ready()

    def _connect(self, request: _Request, addresses: list[Address]) -> None:
        family, address = addresses.pop(0)
        request.connect_began = now()
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(request.origin, sock, addresses)
        connection.request = request
        self._connections[connection.fd] = connection
        self._under_way[request.slot] = (request, connection)
        code = sock.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self._not_connected(connection, code)
            return
        self._epoll.register(connection.fd, _OUT)

    def _connected(self, connection: _Connection) -> None:
        code = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._not_connected(connection, code)
            return
        connection.connecting = False
        request = connection.request
        assert request is not None
        request.connected = now()
        self._epoll.modify(connection.fd, _IN)
        self._send(connection, request)

    def _not_connected(self, connection: _Connection, code: int) -> None:
        request, addresses = connection.request, connection.addresses
        assert request is not None
        connection.request = None
        self._close(connection)
        if addresses:
            self._connect(request, addresses)
            return
        refused = code in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
        self._finish(request, _REFUSED if refused else _NETWORK)

    def _close(self, connection: _Connection) -> None:
        self._connections.pop(connection.fd, None)
        connection.sock.close()

    def _broke(self, connection: _Connection, error: int) -> None:
        """The connection cannot be used any more, in the middle of a request or between two."""
        request = connection.request
        connection.request = None
        self._close(connection)
        if request is None:
            if connection in connection.origin.idle:
                connection.origin.idle.remove(connection)
            return
        if request.reused and not request.retried and not request.first_byte and error == _RESET:
            # The server closed an idle connection while this request was on its way.
            request.retried = True
            self._open(request)
            return
        self._finish(request, error)

    # ---- progress --------------------------------------------------------------------------

    def advance(self, exchange: Exchange) -> bool:
        self._exchange = exchange
        while self._finished:
            if not exchange.complete(*self._finished[0]):
                return True
            self._finished.popleft()
        if not self._connections:
            return False
        connections = self._connections
        events = self._epoll.poll(0, _MOST_EVENTS)
        for fd, event in events:
            connection = connections.get(fd)
            if connection is None:
                continue
            if connection.connecting:
                self._connected(connection)
                continue
            if connection.outgoing is not None and event & _OUT:
                self._send_more(connection)
            if event & ~_OUT:
                self._read(connection)
        return bool(events)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._broke(connection, _RESET)
            return
        request = connection.request
        if request is None:
            # An idle connection was closed, or somebody speaks out of turn.
            self._broke(connection, _RESET)
            return
        if not data:
            self._ended(connection, request)
            return
        arrived = now()
        if not request.first_byte:
            request.first_byte = arrived
        request.received += len(data)
        if connection.incoming is None:
            if connection.head:
                data = connection.head + data
                connection.head = b""
            end = data.find(b"\r\n\r\n") + 4
            if end >= 4 and request.method != "HEAD":
                head = data[:end]
                facts = self._heads.get(head)
                if facts is not None and len(data) == end + facts[1]:
                    self._complete(connection, request, arrived, facts[0], data, end, True)
                    return
            elif end < 4 and len(data) < _LONGEST_HEAD:
                connection.head = data
                return
            connection.incoming = _Incoming(request.method)
            self._learn(data, end)
        self._feed(connection, request, connection.incoming, data, arrived)

    def _learn(self, data: bytes, end: int) -> None:
        """Remember a head with which a response of a known length begins."""
        head = data[:end]
        facts = None if head in self._heads else _facts(head)
        if facts is None:
            return
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        self._heads[head] = facts

    def _feed(
        self,
        connection: _Connection,
        request: _Request,
        incoming: _Incoming,
        data: bytes,
        arrived: float,
    ) -> None:
        try:
            incoming.feed(data)
        except httptools.HttpParserError:
            if not incoming.done:
                self._broke(connection, _NETWORK)
                return
            # Bytes after the end of the response: it counts, the connection does not.
            incoming.keep_alive = False
        if incoming.done:
            content, head_length = incoming.content()
            self._complete(
                connection,
                request,
                arrived,
                incoming.status,
                content,
                head_length,
                incoming.keep_alive,
            )

    def _ended(self, connection: _Connection, request: _Request) -> None:
        incoming = connection.incoming
        if incoming is not None and incoming.end():
            content, head_length = incoming.content()
            self._complete(connection, request, now(), incoming.status, content, head_length, False)
            return
        self._broke(connection, _RESET)

    def _complete(
        self,
        connection: _Connection,
        request: _Request,
        arrived: float,
        status: int,
        content: bytes,
        head_length: int,
        keep_alive: bool,
    ) -> None:
        connection.request = None
        connection.incoming = None
        if keep_alive and connection.outgoing is None:
            connection.origin.idle.append(connection)
        else:
            self._close(connection)
        self._finish(request, 0, arrived, status, content, head_length)

    def _finish(
        self,
        request: _Request,
        error: int,
        arrived: float = 0.0,
        status: int = 0,
        content: bytes = b"",
        head_length: int = 0,
    ) -> None:
        """Put the exchange's row where the runtime finds it."""
        self._under_way.pop(request.slot, None)
        began, sent, first = request.began, request.sent, request.first_byte
        if error:
            arrived = now()
            # What was never reached lasted no time; the rest of the time was spent waiting.
            if not began:
                began = sent = arrived
            first = arrived
            content, head_length = b"", 0
        if request.reused:
            row = (
                request.series,
                status,
                error,
                (arrived - began) * 1000,
                (began - request.started) * 1000,
                0.0,
                0.0,
                (sent - began) * 1000,
                (first - sent) * 1000,
                (arrived - first) * 1000,
                len(request.message),
                request.received,
                1.0,
            )
        else:
            looked_up = request.looked_up or arrived
            connected = request.connected or (request.connect_began and arrived) or looked_up
            row = (
                request.series,
                status,
                error,
                (arrived - began) * 1000,
                (looked_up - request.started) * 1000,
                (connected - looked_up) * 1000,
                0.0,
                (sent - began) * 1000,
                (first - sent) * 1000,
                (arrived - first) * 1000,
                len(request.message) if request.began else 0,
                request.received,
                0.0,
            )
        exchange = self._exchange
        entry = (request.slot, _HTTP_1, row, content, head_length, len(content))
        if exchange is None or self._finished or not exchange.complete(*entry):
            self._finished.append(entry)
            self._on_ready()

    # ---- time ------------------------------------------------------------------------------

    def _look_at(self, moment: float) -> None:
        """Look for requests that took too long at that moment."""
        self._next_look = moment
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, moment - now()) + 0.001, self._look)

    def _look(self) -> None:
        self._timer = None
        self._next_look = float("inf")
        moment = now()
        late = [
            (request, connection)
            for request, connection in self._under_way.values()
            if request.deadline <= moment
        ]
        for request, connection in late:
            if connection is not None:
                connection.request = None
                self._close(connection)
            elif request in request.origin.waiting:
                request.origin.waiting.remove(request)
            self._finish(request, _TIMED_OUT)
        if self._under_way:
            self._look_at(min(request.deadline for request, _ in self._under_way.values()))
        if late:
            self._on_ready()

    def forget_templates(self) -> None:
        """The runtime has started new numbers."""
        self._prepared.clear()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._lookups:
            task.cancel()
        self._loop.remove_reader(self._epoll.fileno())
        for connection in list(self._connections.values()):
            self._close(connection)
        self._under_way.clear()
        self._finished.clear()
        self._epoll.close()


def _facts(head: bytes) -> tuple[int, int, int] | None:
    """Status and length of a response with this head; None unless it is a plain final response
    with one ``Content-Length`` on a connection that stays open."""
    lines = head[:-4].split(b"\r\n")
    status_line = lines[0]
    if not status_line.startswith(b"HTTP/1.1 ") or not status_line[9:12].isdigit():
        return None
    status = int(status_line[9:12])
    if status < 200 or status in (204, 304):
        return None
    length = None
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name in (b"transfer-encoding", b"connection") or name != name.strip():
            if name == b"connection" and value.strip().lower() == b"keep-alive":
                continue
            return None
        if name == b"content-length":
            value = value.strip()
            if length is not None or not value.isdigit():
                return None
            length = int(value)
    return None if length is None else (status, length, len(head))
