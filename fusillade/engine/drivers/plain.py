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
from collections import deque
from typing import Any

import httptools

from fusillade.engine.drivers.base import OnReady, Template
from fusillade.engine.drivers.connection import HTTP_1, Connection, Origin, Prepared, prepare
from fusillade.engine.drivers.content_coding import Undecodable, decode_content, is_encoded
from fusillade.engine.drivers.incoming import Incoming, facts_of
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES

_TIMED_OUT = ERROR_CODES.index("ETIMEDOUT")
_NOT_FOUND = ERROR_CODES.index("ENOTFOUND")
_REFUSED = ERROR_CODES.index("ECONNREFUSED")
_RESET = ERROR_CODES.index("ECONNRESET")
_NETWORK = ERROR_CODES.index("ENETWORK")

_READ_BYTES = 64 << 10
_LONGEST_HEAD = 1 << 20
_MOST_HEADS = 512
_MOST_EVENTS = 4096
_ADDRESS_SECONDS = 60.0
_IN = select.EPOLLIN
_OUT = select.EPOLLOUT

now = time.perf_counter


class PlainDriver:
    """A :class:`fusillade.engine.drivers.base.Driver` for ``http://``."""

    def __init__(self, on_ready: OnReady, *, user_agent: str) -> None:
        self._on_ready = on_ready
        self._user_agent = user_agent
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), on_ready)
        self._origins: dict[tuple[str, int], Origin] = {}
        self._prepared: dict[int, Prepared] = {}
        self._connections: dict[int, Connection] = {}
        self._under_way: dict[int, Connection] = {}
        self._heads: dict[bytes, tuple[int, int, bool]] = {}
        self._finished: deque[tuple[Any, ...]] = deque()
        self._exchange: Exchange | None = None
        self._next_look = float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._closed = False

    # ---- requests --------------------------------------------------------------------------

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        prepared = self._prepared.get(template.number)
        if prepared is None:
            prepared = self._prepared[template.number] = prepare(
                template, self._origins, self._user_agent
            )
        if body is None:
            message = prepared.whole
            if cookies is not None:
                message = b"%b\r\nCookie: %b\r\n\r\n" % (message[:-4], cookies)
        elif cookies is not None:
            message = b"%bCookie: %b\r\nContent-Length: %d\r\n\r\n%b" % (
                prepared.head,
                cookies,
                len(body),
                body,
            )
        else:
            message = b"%bContent-Length: %d\r\n\r\n%b" % (prepared.head, len(body), body)
        idle = prepared.origin.idle
        connection = idle.pop() if idle else Connection(prepared.origin)
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

    def cancel(self, slot: int) -> None:
        connection = self._under_way.pop(slot, None)
        if connection is None:
            self._finished = deque(entry for entry in self._finished if entry[0][0] != slot)
        else:
            self._close(connection)

    def _send(self, connection: Connection) -> None:
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

    def _send_more(self, connection: Connection) -> None:
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

    def _open(self, connection: Connection) -> None:
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

    async def _look_up(self, origin: Origin) -> None:
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

    def _connect(self, connection: Connection) -> None:
        """Try the next address."""
        family, address = connection.addresses.pop(0)
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

    def _connected(self, connection: Connection) -> None:
        code = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._not_connected(connection, code)
            return
        connection.connecting = False
        connection.connected = now()
        self._epoll.modify(connection.fd, _IN)
        self._send(connection)

    def _not_connected(self, connection: Connection, code: int) -> None:
        self._close(connection)
        if connection.addresses:
            self._connect(connection)
            return
        refused = code in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
        self._fail(connection, _REFUSED if refused else _NETWORK)

    def _close(self, connection: Connection) -> None:
        if connection.fd >= 0:
            del self._connections[connection.fd]
            connection.sock.close()
            connection.fd = -1
        elif connection in connection.origin.waiting:
            connection.origin.waiting.remove(connection)

    def _broke(self, connection: Connection, error: int) -> None:
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
        again = Connection(connection.origin)
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

    def _read(self, connection: Connection) -> None:
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
                self._complete(connection, arrived, facts[0], data, end, True, facts[2])
                return
            if end < 4 and len(data) < _LONGEST_HEAD:
                connection.head = data
                return
            incoming = connection.incoming = Incoming(connection.is_head)
            if facts is None:
                self._learn(data[:end])
        self._feed(connection, incoming, data, arrived)

    def _learn(self, head: bytes) -> None:
        """Remember a head with which a response of a known length begins."""
        facts = facts_of(head)
        if facts is None:
            return
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        self._heads[head] = facts

    def _feed(
        self, connection: Connection, incoming: Incoming, data: bytes, arrived: float
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
            self._complete_parsed(connection, incoming, arrived, incoming.keep_alive)

    def _ended(self, connection: Connection, arrived: float) -> None:
        """The server has closed the connection."""
        incoming = connection.incoming
        if incoming is not None and incoming.end():
            self._complete_parsed(connection, incoming, arrived, False)
        else:
            self._broke(connection, _RESET)

    def _complete_parsed(
        self, connection: Connection, incoming: Incoming, arrived: float, keep_alive: bool
    ) -> None:
        content, length = incoming.content()
        lower_head = content[:length].lower()
        if is_encoded(lower_head):
            try:
                content = decode_content(content, length)
            except Undecodable:
                self._close(connection)
                self._fail(connection, _NETWORK)
                return
        self._complete(
            connection,
            arrived,
            incoming.status,
            content,
            length,
            keep_alive,
            b"\r\nset-cookie:" in lower_head,
        )

    def _complete(
        self,
        connection: Connection,
        arrived: float,
        status: int,
        content: bytes,
        head_length: int,
        keep_alive: bool,
        cookies: bool,
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
            HTTP_1,
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
        entry = (row, content, head_length, cookies)
        if self._finished or exchange is None or not exchange.complete(*entry):
            self._finished.append(entry)
            self._on_ready()

    def _fail(self, connection: Connection, error: int) -> None:
        """There will be no response."""
        row = connection.failed_row(error, now())
        del self._under_way[connection.slot]
        self._finished.append((row, b"", 0, False))
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
