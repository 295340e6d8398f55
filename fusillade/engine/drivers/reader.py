"""What comes on a connection of HTTP/1.1, up to the whole response.

A response whose head has been seen before, byte for byte (which is most of them: a server's heads
differ by the second in ``Date``), is known by that head; any other is parsed by httptools, and so
is everything that is not a whole response with a ``Content-Length`` in one piece.
"""

import ssl
import time
from collections.abc import Callable

import httptools

from fusillade.engine.drivers.connection import Connection
from fusillade.engine.drivers.content_coding import Undecodable, decode_content, is_encoded
from fusillade.engine.drivers.incoming import Incoming, facts_of
from fusillade.metrics.requests import ERROR_CODES

_RESET = ERROR_CODES.index("ECONNRESET")
_NETWORK = ERROR_CODES.index("ENETWORK")

_READ_BYTES = 64 << 10
_LONGEST_HEAD = 1 << 20
_MOST_HEADS = 512

now = time.perf_counter

OnResponse = Callable[[Connection, float, int, bytes, int, bool, bool], None]
"""Takes a connection's whole response: when it was there, status, head and body, length of the
head, whether the connection stays open, whether cookies are set."""

OnBroken = Callable[[Connection, int], None]
"""Takes a connection that is of no use any more, and the error (position in ``ERROR_CODES``)."""


class Reader:
    """Reads the responses of all connections. ``remember``: whether heads are worth keeping."""

    def __init__(self, on_response: OnResponse, on_broken: OnBroken, *, remember: bool) -> None:
        self._on_response = on_response
        self._on_broken = on_broken
        self._remember = remember
        self.heads: dict[bytes, tuple[int, int, bool]] = {}
        """Head -> status, length of the body, whether cookies are set."""

    def read(self, connection: Connection) -> None:
        """The connection's socket has something."""
        sock = connection.sock
        assert sock is not None
        try:
            data = sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._on_broken(connection, _RESET)
            return
        arrived = now()
        if connection.secure is not None and data:
            connection.secure.give(data)
            self.received(connection, b"", False, arrived)
        else:
            self.received(connection, data, not data, arrived)

    def received(self, connection: Connection, data: bytes, closed: bool, arrived: float) -> None:
        """``data`` has come, and, if the connection is encrypted, what ``secure`` has been given;
        ``closed``: nothing more will."""
        secure = connection.secure
        if secure is not None and not closed:
            try:
                data += secure.decrypt()
            except ssl.SSLError:
                self._on_broken(connection, _RESET)
                return
            closed = secure.closed
            if not data and not closed:
                return  # part of a record, or a session ticket
        if connection.slot < 0:
            # An idle connection was closed, or somebody speaks out of turn.
            self._on_broken(connection, _RESET)
            return
        if data:
            self._take(connection, data, arrived)
        if closed and connection.slot >= 0 and connection.fd >= 0:
            self._ended(connection, arrived)

    def _take(self, connection: Connection, data: bytes, arrived: float) -> None:
        if not connection.first_byte:
            connection.first_byte = arrived
        connection.received += len(data)
        incoming = connection.incoming
        if incoming is None:
            if connection.head:
                data = connection.head + data
                connection.head = b""
            end = data.find(b"\r\n\r\n") + 4
            facts = self.heads.get(data[:end])
            if facts is not None and len(data) == end + facts[1] and not connection.is_head:
                self._on_response(connection, arrived, facts[0], data, end, True, facts[2])
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
        facts = facts_of(head) if self._remember else None
        if facts is None:
            return
        if len(self.heads) >= _MOST_HEADS:
            self.heads.clear()
        self.heads[head] = facts

    def _feed(
        self, connection: Connection, incoming: Incoming, data: bytes, arrived: float
    ) -> None:
        try:
            incoming.feed(data)
        except httptools.HttpParserError:
            if not incoming.done:
                self._on_broken(connection, _NETWORK)
                return
            # Bytes after the end of the response: it counts, the connection does not.
            incoming.keep_alive = False
        if incoming.done:
            self._complete_parsed(connection, incoming, arrived, incoming.keep_alive)

    def _ended(self, connection: Connection, arrived: float) -> None:
        """The server has closed the connection."""
        incoming = connection.incoming
        # Without TLS's own end, somebody may have cut the body short (RFC 9112, 9.8).
        whole = connection.secure is None or connection.secure.closed
        if incoming is not None and whole and incoming.end():
            self._complete_parsed(connection, incoming, arrived, False)
        else:
            self._on_broken(connection, _RESET)

    def _complete_parsed(
        self, connection: Connection, incoming: Incoming, arrived: float, keep_alive: bool
    ) -> None:
        content, length = incoming.content()
        lower_head = content[:length].lower()
        if is_encoded(lower_head):
            try:
                content = decode_content(content, length)
            except Undecodable:
                self._on_broken(connection, _NETWORK)
                return
        self._on_response(
            connection,
            arrived,
            incoming.status,
            content,
            length,
            keep_alive,
            b"\r\nset-cookie:" in lower_head,
        )
