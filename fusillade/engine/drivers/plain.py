"""The driver for ``http://`` and ``https://``: sockets of our own, and nothing in between.

All workers share the connections of an origin, as with the other driver: a request takes the one
that became idle last, or opens one. Where the server chooses HTTP/2, requests are streams of a few
sessions (``drivers.multiplexer``).
"""

import asyncio
import select
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.base import OnReady, SubmitRows, Template, closing
from fusillade.engine.drivers.connection import (
    HTTP_1,
    Connection,
    Origin,
    Prepared,
    connection_phases,
    failed_row,
    prepare,
)
from fusillade.engine.drivers.connector import Connector
from fusillade.engine.drivers.http2 import Stream
from fusillade.engine.drivers.multiplexer import Multiplexer
from fusillade.engine.drivers.native import native
from fusillade.engine.drivers.reader import Reader
from fusillade.engine.drivers.tls import HTTP_2, make_context
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES

_TIMED_OUT = ERROR_CODES.index("ETIMEDOUT")
_RESET = ERROR_CODES.index("ECONNRESET")
_NETWORK = ERROR_CODES.index("ENETWORK")

_MOST_EVENTS = 4096
_IN = select.EPOLLIN
_OUT = select.EPOLLOUT

now = time.perf_counter


class PlainDriver:
    """A :class:`fusillade.engine.drivers.base.Driver` for HTTP/1.1 and HTTP/2."""

    def __init__(
        self,
        on_ready: OnReady,
        *,
        user_agent: str,
        verify: bool = True,
        authorities: str = "",
        reuse: bool = True,
        blocklist: Blocklist | None = None,
        use_native: bool = True,
    ) -> None:
        self._on_ready = on_ready
        self._native: Any = native if use_native else None
        self._make_connection: Callable[[Origin], Connection] = (
            Connection if self._native is None else self._native.Connection
        )
        self.submit_rows: SubmitRows | None = None if self._native is None else self._submit_rows
        self._fast: dict[int, tuple[list[Connection], bytes, bytes, bool]] = {}
        """What ``_native.submit`` needs to know of a template."""
        self._user_agent = user_agent
        self._verify = verify
        self._authorities = authorities
        self._reuse = reuse
        self._context: ssl.SSLContext | None = None
        """Made when it is needed."""
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), on_ready)
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self._prepared: dict[int, Prepared] = {}
        self._connections: dict[int, Connection] = {}
        self._under_way: dict[int, Connection | Stream] = {}
        self._finished: deque[tuple[Any, ...]] = deque()
        self._exchange: Exchange | None = None
        self._next_look = float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._connector = Connector(
            self._epoll, self._connections, self._opened, self._fail, on_ready, blocklist
        )
        self._reader = Reader(self._complete, self._broke, remember=reuse)
        self._multiplexer = Multiplexer(
            self._epoll, user_agent, self._finish, self._begin_stream, reuse=reuse
        )
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
                template if self._reuse else closing(template),
                self._origins,
                self._user_agent,
                self._context_for(template),
            )
        origin = prepared.origin
        started = now()
        deadline = started + timeout_ms / 1000
        if deadline < self._next_look:
            self._look_at(deadline)
        if origin.protocol == HTTP_2:
            self._begin_stream(
                self._multiplexer.stream(slot, series, prepared, body, cookies, deadline, started),
                origin,
            )
            return
        if self._native is not None and origin.protocol is not None:
            self._fast[template.number] = (
                origin.idle,
                prepared.whole,
                prepared.head,
                prepared.is_head,
            )
        idle = origin.idle
        connection = idle.pop() if idle else self._make_connection(origin)
        connection.slot = slot
        connection.series = series
        connection.message = _message(prepared, body, cookies)
        connection.is_head = prepared.is_head
        connection.first_byte = 0.0
        connection.received = 0
        connection.started = started
        connection.deadline = deadline
        self._under_way[slot] = connection
        if connection.connecting:
            if origin.protocol is None:
                connection.request = (prepared, body, cookies)
            self._connector.open(connection)
        else:
            self._send(connection)

    def _submit_rows(
        self, rows: memoryview, index: int, count: int, data: memoryview, offset: int
    ) -> tuple[int, int]:
        index, offset, earliest, troubles = self._native.submit(
            rows, index, count, data, offset, self._fast, self._under_way
        )
        if earliest < self._next_look:
            self._look_at(earliest)
        for connection, sent, payload in troubles:
            if sent < 0:
                self._broke(connection, _RESET)
            else:
                self._send_rest(connection, payload, sent)
        return index, offset

    def _context_for(self, template: Template) -> ssl.SSLContext | None:
        if template.url[:6].lower() != "https:":
            return None
        if self._context is None:
            self._context = make_context(verify=self._verify, authorities=self._authorities)
        return self._context

    def cancel(self, slot: int) -> None:
        one = self._under_way.pop(slot, None)
        if one is None:
            self._finished = deque(entry for entry in self._finished if entry[0][0] != slot)
        else:
            self._give_up(one)

    def _give_up(self, one: Connection | Stream) -> None:
        if isinstance(one, Stream):
            self._multiplexer.cancel(one)
        elif one.connecting:
            self._connector.abandon(one)
        else:
            self._connector.close(one)

    def _opened(self, connection: Connection) -> None:
        """A connection is open, or the session that it waited for."""
        if connection.origin.protocol != HTTP_2:
            if isinstance(connection.request, Stream):
                # A server that spoke HTTP/2 a moment ago.
                self._connector.close(connection)
                self._fail(connection, _NETWORK)
            else:
                self._send(connection)
            return
        opened = connection.fd >= 0
        if opened:
            del self._connections[connection.fd]
            self._multiplexer.adopt(connection)
        request = connection.request
        if isinstance(request, Stream):
            stream = request
        else:
            prepared, body, cookies = request
            stream = self._multiplexer.stream(
                connection.slot,
                connection.series,
                prepared,
                body,
                cookies,
                connection.deadline,
                connection.started,
            )
        self._begin_stream(stream, connection.origin, connection if opened else None)

    def _begin_stream(
        self, stream: Stream, origin: Origin, connection: Connection | None = None
    ) -> None:
        self._under_way[stream.slot] = stream
        if self._multiplexer.begin(origin, stream, connection):
            return
        # One more connection; it starts as any other.
        opening = self._make_connection(origin)
        opening.slot = stream.slot
        opening.series = stream.series
        opening.started = stream.started
        opening.deadline = stream.deadline
        opening.request = stream
        self._under_way[stream.slot] = opening
        self._connector.open(opening)

    def _send(self, connection: Connection) -> None:
        message = connection.message
        sock = connection.sock
        assert sock is not None
        connection.began = now()
        try:
            if connection.secure is not None:
                message = connection.secure.encrypt(message)
            sent = sock.send(message)
        except BlockingIOError:
            sent = 0
        except OSError:  # ssl.SSLError is one
            self._broke(connection, _RESET)
            return
        connection.sent = now()
        if sent < len(message):
            self._send_rest(connection, message, sent)

    def _send_rest(self, connection: Connection, message: bytes, sent: int) -> None:
        connection.outgoing = memoryview(message)[sent:]
        self._epoll.modify(connection.fd, _IN | _OUT)

    def _send_more(self, connection: Connection) -> None:
        outgoing, sock = connection.outgoing, connection.sock
        assert outgoing is not None
        assert sock is not None
        try:
            sent = sock.send(outgoing)
        except BlockingIOError:
            return
        except OSError:
            # The answer may have come already: reading tells.
            sent = len(outgoing)
        connection.sent = now()
        connection.outgoing = outgoing[sent:] if sent < len(outgoing) else None
        if connection.outgoing is None:
            self._epoll.modify(connection.fd, _IN)

    def _broke(self, connection: Connection, error: int) -> None:
        """The connection cannot be used any more, in the middle of a request or between two."""
        self._connector.close(connection)
        if connection.slot < 0:
            connection.origin.idle.remove(connection)
            return
        stale = connection.reused and not connection.first_byte and error == _RESET
        if not stale or connection.retried:
            self._fail(connection, error)
            return
        # The server closed an idle connection while this request was on its way: once more.
        again = self._make_connection(connection.origin)
        for name in ("slot", "series", "message", "is_head", "deadline"):
            setattr(again, name, getattr(connection, name))
        again.started = now()
        again.retried = True
        self._under_way[again.slot] = again
        self._connector.open(again)

    # ---- progress --------------------------------------------------------------------------

    def advance(self, exchange: Exchange) -> bool:
        self._exchange = exchange
        while self._finished:
            if not exchange.complete(*self._finished[0]):
                return True
            self._finished.popleft()
        self._multiplexer.flush()
        if self._native is None:
            events = self._epoll.poll(0, _MOST_EVENTS)
            count = len(events)
            for fd, event in events:
                self._happened(fd, event)
        else:
            count = self._poll(exchange)
        self._multiplexer.flush()
        return count > 0

    def _poll(self, exchange: Exchange) -> int:
        """The native way: only what is not common is left to us. Returns how much happened."""
        completed, used, count, slow = self._native.poll(
            self._epoll.fileno(),
            self._connections,
            self._reader.heads,
            self._under_way,
            *exchange.room(),
        )
        exchange.taken(completed, used)
        for fd, event, data, arrived in slow:
            if data is None:
                self._happened(fd, event)
                continue
            # False: the connection was closed. Nothing: what came is not a whole record.
            connection = self._connections[fd]
            self._reader.received(connection, data or b"", data is False, arrived)
        return int(count)

    def _happened(self, fd: int, event: int) -> None:
        connection = self._connections.get(fd)
        if connection is None:
            self._multiplexer.ready(fd, event)
        elif connection.connecting:
            self._connector.go_on(connection)
        else:
            if connection.outgoing is not None and event & _OUT:
                self._send_more(connection)
            if event & ~_OUT:
                self._reader.read(connection)

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
        row = (
            slot,
            HTTP_1,
            connection.series,
            status,
            0,
            (arrived - began) * 1000,
            *connection_phases(connection, arrived),
            (sent - began) * 1000,
            (first - sent) * 1000,
            (arrived - first) * 1000,
            len(connection.message),
            connection.received,
            1.0 if reused else 0.0,
        )
        connection.slot = -1
        connection.incoming = None
        if keep_alive and connection.outgoing is None and self._reuse:
            connection.reused = True
            connection.origin.idle.append(connection)
        else:
            self._connector.close(connection)
        self._finish(row, content, head_length, cookies)

    def _finish(
        self, row: tuple[float, ...], content: bytes, head_length: int, cookies: bool
    ) -> None:
        """An exchange is over: into the engine's exchange, or behind those that wait for room."""
        del self._under_way[int(row[0])]
        exchange = self._exchange
        entry = (row, content, head_length, cookies)
        if self._finished or exchange is None or not exchange.complete(*entry):
            self._finished.append(entry)
            self._on_ready()

    def _fail(self, connection: Connection, error: int) -> None:
        """There will be no response."""
        row = failed_row(connection, error, now())
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
        for one in late:
            self._give_up(one)
            if isinstance(one, Stream):
                row = self._multiplexer.row(one, moment, 0, _TIMED_OUT)
                self._finish(row, b"", 0, False)
            else:
                self._fail(one, _TIMED_OUT)
        if late:
            self._on_ready()  # this is no turn of the engine's
        if self._under_way:
            self._look_at(min(one.deadline for one in self._under_way.values()))

    def drop_idle(self) -> None:
        for origin in self._origins.values():
            for connection in origin.idle:
                self._connector.close(connection)
            origin.idle.clear()
        self._multiplexer.drop_idle()

    def forget_templates(self) -> None:
        """The runtime has started new numbers."""
        self._prepared.clear()
        self._fast.clear()
        self._multiplexer.forget_templates()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._connector.stop()
        self._loop.remove_reader(self._epoll.fileno())
        for connection in list(self._connections.values()):
            self._connector.close(connection)
        self._multiplexer.close()
        self._under_way.clear()
        self._finished.clear()
        self._epoll.close()


def _message(prepared: Prepared, body: bytes | None, cookies: bytes | None) -> bytes:
    """A request as HTTP/1.1 writes it."""
    if body is None:
        if cookies is None:
            return prepared.whole
        return b"%b\r\nCookie: %b\r\n\r\n" % (prepared.whole[:-4], cookies)
    if cookies is None:
        return b"%bContent-Length: %d\r\n\r\n%b" % (prepared.head, len(body), body)
    return b"%bCookie: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        prepared.head,
        cookies,
        len(body),
        body,
    )
