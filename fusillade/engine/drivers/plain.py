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
        self.waiting: list[_Connection] = []


class _Prepared:
    """A template as bytes."""

    __slots__ = ("head", "is_head", "origin", "whole")

    def __init__(self, origin: _Origin, method: str, head: bytes, whole: bytes) -> None:
        self.origin = origin
        self.is_head = method == "HEAD"
        self.head = head
        """Up to where ``Content-Length`` may follow."""
        self.whole = whole
        """The request without a body."""


class _Connection:
    """One connection, and the exchange that is under way on it (if ``slot`` is not negative)."""

    __slots__ = (
        "addresses",
        "began",
        "connect_began",
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

    def __init__(self, origin: _Origin) -> None:
        self.origin = origin
        self.fd = -1
        self.addresses: list[Address] = []
        """Those that are left to be tried."""
        self.connecting = True
        self.outgoing: memoryview | None = None
        self.incoming: _Incoming | None = None
        self.head = b""
        """The beginning of a head that has not come whole."""
        self.slot = -1
        self.series = -1
        self.message = b""
        self.is_head = False
        self.deadline = 0.0
        self.started = self.looked_up = self.connect_began = self.connected = 0.0
        self.began = self.sent = self.first_byte = 0.0
        self.received = 0
        self.reused = False
        self.retried = False


class _Incoming:
    """A response that is parsed piece by piece (httptools calls the ``on_`` methods)."""

    def __init__(self, is_head: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = is_head
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

    def on_message_begin(self) -> None:
        if self.done:
            # Bytes after the end: they belong to no answer, and nobody can trust what follows.
            self.keep_alive = False

    def on_status(self, reason: bytes) -> None:
        if not self.done:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_body:
            return  # a trailer
        self._headers.append(name + b": " + value)
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        if self.done:
            return
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
        self._under_way: dict[int, _Connection] = {}
        self._heads: dict[bytes, tuple[int, int]] = {}
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
        idle = prepared.origin.idle
        connection = idle.pop() if idle else _Connection(prepared.origin)
        connection.slot = slot
        connection.series = series
        connection.message = message
        connection.is_head = prepared.is_head
        connection.first_byte = 0.0
        connection.received = 0
        self._under_way[slot] = connection
        started = connection.started = now()
        deadline = connection.deadline = started + timeout_ms / 1000
        if deadline < self._next_look:
            self._look_at(deadline)
        if connection.connecting:
            self._open(connection)
        else:
            self._send(connection)

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
        connection = self._under_way.pop(slot, None)
        if connection is None:
            self._finished = deque(entry for entry in self._finished if entry[0][0] != slot)
        else:
            self._close(connection)

    def _send(self, connection: _Connection) -> None:
        message = connection.message
        connection.began = now()
        try:
            sent = connection.sock.send(message)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._broke(connection, _RESET)
            return
        connection.sent = now()
        if sent < len(message):
            connection.outgoing = memoryview(message)[sent:]
            self._epoll.modify(connection.fd, _IN | _OUT)

    def _send_more(self, connection: _Connection) -> None:
        outgoing = connection.outgoing
        assert outgoing is not None
        try:
            sent = connection.sock.send(outgoing)
        except BlockingIOError:
            return
        except OSError:
            # The answer may have come already: reading tells.
            sent = len(outgoing)
        connection.sent = now()
        connection.outgoing = outgoing[sent:] if sent < len(outgoing) else None
        if connection.outgoing is None:
            self._epoll.modify(connection.fd, _IN)

    # ---- connections -----------------------------------------------------------------------

    def _open(self, connection: _Connection) -> None:
        """Begin to connect; the request waits for it."""
        origin = connection.origin
        if origin.known_until < connection.started or not origin.addresses:
            origin.waiting.append(connection)
            if not origin.resolving:
                origin.resolving = True
                task = self._loop.create_task(self._look_up(origin))
                self._lookups.add(task)
                task.add_done_callback(self._lookups.discard)
            return
        connection.looked_up = now()
        connection.addresses = list(origin.addresses)
        self._connect(connection)

    async def _look_up(self, origin: _Origin) -> None:
        try:
            found = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            origin.addresses = list(dict.fromkeys((entry[0], entry[4]) for entry in found))
        except (OSError, UnicodeError):
            origin.addresses = []
        origin.known_until = now() + _ADDRESS_SECONDS
        origin.resolving = False
        waiting, origin.waiting = origin.waiting, []
        for connection in waiting:
            connection.looked_up = now()
            connection.addresses = list(origin.addresses)
            if connection.addresses:
                self._connect(connection)
            else:
                self._fail(connection, _NOT_FOUND)
        self._on_ready()

    def _connect(self, connection: _Connection) -> None:
        """Try the next address."""
        family, address = connection.addresses.pop(0)
        connection.connect_began = now()
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = sock
        connection.fd = sock.fileno()
        self._connections[connection.fd] = connection
        code = sock.connect_ex(address)
        if code in (0, errno.EINPROGRESS):
            self._epoll.register(connection.fd, _OUT)
        else:
            self._not_connected(connection, code)

    def _connected(self, connection: _Connection) -> None:
        code = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._not_connected(connection, code)
            return
        connection.connecting = False
        connection.connected = now()
        self._epoll.modify(connection.fd, _IN)
        self._send(connection)

    def _not_connected(self, connection: _Connection, code: int) -> None:
        self._close(connection)
        if connection.addresses:
            self._connect(connection)
            return
        refused = code in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
        self._fail(connection, _REFUSED if refused else _NETWORK)

    def _close(self, connection: _Connection) -> None:
        if connection.fd >= 0:
            del self._connections[connection.fd]
            connection.sock.close()
            connection.fd = -1
        elif connection in connection.origin.waiting:
            connection.origin.waiting.remove(connection)

    def _broke(self, connection: _Connection, error: int) -> None:
        """The connection cannot be used any more, in the middle of a request or between two."""
        self._close(connection)
        if connection.slot < 0:
            connection.origin.idle.remove(connection)
            return
        stale = connection.reused and not connection.first_byte and error == _RESET
        if not stale or connection.retried:
            self._fail(connection, error)
            return
        # The server closed an idle connection while this request was on its way: once more.
        again = _Connection(connection.origin)
        for name in ("slot", "series", "message", "is_head", "deadline"):
            setattr(again, name, getattr(connection, name))
        again.started = now()
        again.retried = True
        self._under_way[again.slot] = again
        self._open(again)

    # ---- progress --------------------------------------------------------------------------

    def advance(self, exchange: Exchange) -> bool:
        self._exchange = exchange
        while self._finished:
            if not exchange.complete(*self._finished[0]):
                return True
            self._finished.popleft()
        connections = self._connections
        if not connections:
            return False
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
        arrived = now()
        if connection.slot < 0:
            # An idle connection was closed, or somebody speaks out of turn.
            self._broke(connection, _RESET)
            return
        if not data:
            self._ended(connection, arrived)
            return
        if not connection.first_byte:
            connection.first_byte = arrived
        connection.received += len(data)
        incoming = connection.incoming
        if incoming is None:
            if connection.head:
                data = connection.head + data
                connection.head = b""
            end = data.find(b"\r\n\r\n") + 4
            facts = self._heads.get(data[:end])
            if facts is not None and len(data) == end + facts[1] and not connection.is_head:
                self._complete(connection, arrived, facts[0], data, end, True)
                return
            if end < 4 and len(data) < _LONGEST_HEAD:
                connection.head = data
                return
            incoming = connection.incoming = _Incoming(connection.is_head)
            if facts is None:
                self._learn(data[:end])
        self._feed(connection, incoming, data, arrived)

    def _learn(self, head: bytes) -> None:
        """Remember a head with which a response of a known length begins."""
        facts = _facts(head)
        if facts is None:
            return
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        self._heads[head] = facts

    def _feed(
        self, connection: _Connection, incoming: _Incoming, data: bytes, arrived: float
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
            self._complete(
                connection, arrived, incoming.status, *incoming.content(), incoming.keep_alive
            )

    def _ended(self, connection: _Connection, arrived: float) -> None:
        """The server has closed the connection."""
        incoming = connection.incoming
        if incoming is not None and incoming.end():
            self._complete(connection, arrived, incoming.status, *incoming.content(), False)
        else:
            self._broke(connection, _RESET)

    def _complete(
        self,
        connection: _Connection,
        arrived: float,
        status: int,
        content: bytes,
        head_length: int,
        keep_alive: bool,
    ) -> None:
        """A whole response: its row, and the connection back among the idle ones."""
        slot, began, sent = connection.slot, connection.began, connection.sent
        first = connection.first_byte
        reused = connection.reused
        looked_up, connected = began, began
        if not reused:
            looked_up, connected = connection.looked_up, connection.connected
        row = (
            slot,
            _HTTP_1,
            connection.series,
            status,
            0,
            (arrived - began) * 1000,
            (looked_up - connection.started) * 1000,
            (connected - looked_up) * 1000,
            0.0,
            (sent - began) * 1000,
            (first - sent) * 1000,
            (arrived - first) * 1000,
            len(connection.message),
            connection.received,
            1.0 if reused else 0.0,
        )
        del self._under_way[slot]
        connection.slot = -1
        connection.incoming = None
        if keep_alive and connection.outgoing is None:
            connection.reused = True
            connection.origin.idle.append(connection)
        else:
            self._close(connection)
        exchange = self._exchange
        if self._finished or exchange is None or not exchange.complete(row, content, head_length):
            self._finished.append((row, content, head_length))
            self._on_ready()

    def _fail(self, connection: _Connection, error: int) -> None:
        """No response: what was never reached lasted no time, the rest was spent waiting."""
        ended = now()
        started, began, sent = connection.started, connection.began, connection.sent
        if connection.reused:
            looked_up = connected = began
        else:
            looked_up = connection.looked_up or ended
            connected = connection.connected or ended
        if not connection.connected:
            began = sent = ended
        row = (
            connection.slot,
            _HTTP_1,
            connection.series,
            0,
            error,
            (ended - began) * 1000,
            (looked_up - started) * 1000,
            (connected - looked_up) * 1000,
            0.0,
            (sent - began) * 1000,
            (ended - sent) * 1000,
            0.0,
            len(connection.message) if connection.connected else 0,
            connection.received,
            1.0 if connection.reused else 0.0,
        )
        del self._under_way[connection.slot]
        self._finished.append((row, b"", 0))
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
        late = [one for one in self._under_way.values() if one.deadline <= moment]
        for connection in late:
            self._close(connection)
            self._fail(connection, _TIMED_OUT)
        if self._under_way:
            self._look_at(min(one.deadline for one in self._under_way.values()))

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


def _facts(head: bytes) -> tuple[int, int] | None:
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
    return None if length is None else (status, length)
