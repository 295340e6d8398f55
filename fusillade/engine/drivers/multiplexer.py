"""HTTP/2 for the plain driver: its sessions, their sockets, and which request goes where."""

import contextlib
import select
import ssl
import time
from collections.abc import Callable

from fusillade.engine.drivers import frames
from fusillade.engine.drivers.connection import (
    METHODS_WITH_BODY,
    Connection,
    Origin,
    Prepared,
    connection_phases,
    fields_of,
    target_of,
)
from fusillade.engine.drivers.content_coding import Undecodable, decode_content
from fusillade.engine.drivers.http2 import HTTP_2, Session, Stream
from fusillade.metrics.requests import ERROR_CODES

_RESET = ERROR_CODES.index("ECONNRESET")
_NETWORK = ERROR_CODES.index("ENETWORK")
_ERROR_OF = {"reset": _RESET, "refused": _RESET, "malformed": _NETWORK}

_READ_BYTES = 256 << 10
_IN = select.EPOLLIN
_OUT = select.EPOLLOUT
# Fields of HTTP/1.1's connections, which have no place in HTTP/2 (RFC 9113, 8.2.2).
_OF_CONNECTIONS = frozenset(
    ("connection", "host", "keep-alive", "proxy-connection", "te", "upgrade", "content-length")
)

now = time.perf_counter


class _Link:
    """A session's socket."""

    __slots__ = ("carried", "origin", "outgoing", "secure", "session", "sock")

    def __init__(self, connection: Connection, session: Session) -> None:
        assert connection.sock is not None
        assert connection.secure is not None
        self.sock = connection.sock
        self.secure = connection.secure
        self.origin = connection.origin
        self.session = session
        self.outgoing: memoryview | None = None
        self.carried = 0
        """How many exchanges it has carried."""


Finish = Callable[[tuple[float, ...], bytes, int, bool], None]
"""Takes an exchange's row, content, length of the head, and whether it sets cookies."""


class Multiplexer:
    """All HTTP/2 sessions of a driver."""

    def __init__(
        self,
        epoll: select.epoll,
        user_agent: str,
        finish: Finish,
        again: Callable[[Stream, Origin], None],
        *,
        reuse: bool,
    ) -> None:
        self._reuse = reuse
        self._epoll = epoll
        self._user_agent = user_agent
        self._finish = finish
        self._again = again
        self._links: dict[int, _Link] = {}
        self._of_session: dict[Session, _Link] = {}
        self._blocks: dict[int, bytes] = {}
        self._to_send: dict[Session, _Link] = {}

    def forget_templates(self) -> None:
        """Templates known so far will not be named again."""
        self._blocks.clear()

    # ---- requests --------------------------------------------------------------------------

    def stream(
        self,
        slot: int,
        series: int,
        prepared: Prepared,
        body: bytes | None,
        cookies: bytes | None,
        deadline: float,
        started: float,
    ) -> Stream:
        """A request as it goes over HTTP/2."""
        template = prepared.template
        block = self._blocks.get(template.number)
        if block is None:
            block = self._blocks[template.number] = self._block(prepared)
        if body is not None or template.method in METHODS_WITH_BODY:
            block += frames.content_length(len(body or b""))
        if cookies is not None:
            block += frames.cookie(cookies)
        return Stream(slot, series, block, body or b"", prepared.is_head, deadline, started)

    def _block(self, prepared: Prepared) -> bytes:
        template, parts = prepared.template, prepared.parts
        fields = fields_of(template, parts, self._user_agent)
        authority = next(value for name, value in fields if name.lower() == "host")
        block = [
            (":method", template.method),
            (":scheme", parts.scheme),
            (":authority", authority),
            (":path", target_of(parts)),
        ]
        block += [
            (name.lower(), value) for name, value in fields if name.lower() not in _OF_CONNECTIONS
        ]
        return frames.block([(name.encode(), value.encode()) for name, value in block])

    def adopt(self, connection: Connection) -> None:
        """A connection whose server has chosen HTTP/2 becomes a session."""
        session = Session()
        link = _Link(connection, session)
        self._links[connection.fd] = link
        self._of_session[session] = link
        self._to_send[session] = link
        connection.origin.sessions.append(session)
        connection.fd = -1  # it is ours now

    def begin(self, origin: Origin, stream: Stream, connection: Connection | None = None) -> bool:
        """Put a request on a session that has room; False if there is none. ``connection``: the
        one that was opened for it."""
        for session in origin.sessions:
            if session.has_room:
                break
        else:
            return False
        link = self._of_session[session]
        stream.reused = link.carried > 0
        link.carried += 1
        if connection is not None and not stream.reused:
            stream.phases = connection_phases(connection, now())
        session.begin(stream)
        if not self._reuse:
            session.closing = True
        self._to_send[session] = link
        return True

    def cancel(self, stream: Stream) -> None:
        """Nobody waits for this one any more."""
        session = stream.session
        if session is not None and session in self._of_session:
            session.cancel(stream)
            self._to_send[session] = self._of_session[session]

    def flush(self) -> None:
        """Send what the sessions have to send."""
        if self._to_send:
            waiting, self._to_send = self._to_send, {}
            for link in waiting.values():
                self._send(link)

    def _send(self, link: _Link) -> None:
        session = link.session
        if link.outgoing is not None or not session.out:
            return
        began = now()
        try:
            data = link.secure.encrypt(bytes(session.out))
            session.out.clear()
            sent = link.sock.send(data)
        except BlockingIOError:
            sent = 0
        except (OSError, ssl.SSLError):
            session.begun(began, now())
            self._lost(link)
            return
        session.begun(began, now())
        if sent < len(data):
            link.outgoing = memoryview(data)[sent:]
            self._epoll.modify(link.sock.fileno(), _IN | _OUT)

    def _send_more(self, link: _Link) -> None:
        assert link.outgoing is not None
        try:
            sent = link.sock.send(link.outgoing)
        except BlockingIOError:
            return
        except OSError:
            self._lost(link)
            return
        link.outgoing = link.outgoing[sent:] if sent < len(link.outgoing) else None
        if link.outgoing is None:
            self._epoll.modify(link.sock.fileno(), _IN)
            self._send(link)

    # ---- answers ---------------------------------------------------------------------------

    def ready(self, fd: int, event: int) -> None:
        """Something happened on a socket; not one of ours if it was closed in between."""
        link = self._links.get(fd)
        if link is None:
            return
        if link.outgoing is not None and event & _OUT:
            self._send_more(link)
        if event & ~_OUT and fd in self._links:
            self._read(link)

    def _read(self, link: _Link) -> None:
        session = link.session
        try:
            data = link.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._lost(link)
            return
        arrived = now()
        if not data:
            self._lost(link)
            return
        try:
            link.secure.give(data)
            session.feed(link.secure.decrypt(), arrived)
        except frames.NotHttp2:
            self._lost(link, _NETWORK)
            return
        except ssl.SSLError:
            self._lost(link)
            return
        self._deliver(link, arrived)
        if link.secure.closed:
            # TLS's own end (close_notify); the socket's may be long in coming.
            self._lost(link)
            return
        if session.closing:
            self._retire(link)
            if not session.streams:
                self._drop(link)
                return
        if session.out:
            self._to_send[session] = link

    def _deliver(self, link: _Link, arrived: float) -> None:
        finished = link.session.finished
        while finished:
            stream, how = finished.popleft()
            if how == "refused" and not stream.retried:
                self._retry(stream, link.origin)
            elif how:
                self._fail(stream, _ERROR_OF[how], arrived)
            else:
                head = stream.head
                assert head is not None
                content = head.text + b"".join(stream.parts)
                if head.is_encoded:
                    try:
                        content = decode_content(content, len(head.text))
                    except Undecodable:
                        self._fail(stream, _NETWORK, arrived)
                        continue
                row = self.row(stream, arrived, head.status, 0)
                self._finish(row, content, len(head.text), head.sets_cookies)

    @staticmethod
    def row(stream: Stream, ended: float, status: int, error: int) -> tuple[float, ...]:
        """The exchange's row, whole or not."""
        began = stream.began or ended
        sent = stream.sent or began
        first = stream.first_byte or ended
        phases = stream.phases
        if stream.reused:
            phases = ((began - stream.started) * 1000, 0.0, 0.0)
        return (
            stream.slot,
            HTTP_2,
            stream.series,
            status,
            error,
            (ended - began) * 1000,
            *phases,
            (sent - began) * 1000,
            (first - sent) * 1000,
            (ended - first) * 1000,
            stream.bytes_sent,
            stream.received,
            1.0 if stream.reused else 0.0,
        )

    def _fail(self, stream: Stream, error: int, ended: float) -> None:
        self._finish(self.row(stream, ended, 0, error), b"", 0, False)

    def _retry(self, stream: Stream, origin: Origin) -> None:
        """A request that the server has not looked at is sent once more."""
        again = Stream(
            stream.slot,
            stream.series,
            stream.block,
            stream.body,
            stream.is_head,
            stream.deadline,
            now(),
            retried=True,
        )
        self._again(again, origin)

    # ---- ends ------------------------------------------------------------------------------

    def _retire(self, link: _Link) -> None:
        """No new requests for this session."""
        if link.session in link.origin.sessions:
            link.origin.sessions.remove(link.session)

    def _drop(self, link: _Link) -> None:
        self._retire(link)
        del self._links[link.sock.fileno()]
        del self._of_session[link.session]
        self._to_send.pop(link.session, None)
        link.sock.close()

    def _lost(self, link: _Link, error: int = _RESET) -> None:
        """The connection is gone, and with it what was under way on it."""
        session = link.session
        session.closing = True
        moment = now()
        self._deliver(link, moment)
        streams = list(session.streams.values())
        session.streams.clear()
        self._drop(link)
        for stream in streams:
            # The server closed an idle connection while this request was on its way: once more.
            stale = stream.reused and not stream.first_byte and error == _RESET
            if stale and not stream.retried:
                self._retry(stream, link.origin)
            else:
                self._fail(stream, error, moment)

    def drop_idle(self) -> None:
        """Close the connections without streams, and those with some after them."""
        for link in list(self._links.values()):
            link.session.closing = True
            if link.session.streams:
                self._retire(link)
            else:
                self._drop(link)

    def close(self) -> None:
        """Close all connections."""
        for link in list(self._links.values()):
            with contextlib.suppress(OSError):
                link.sock.close()
        self._links.clear()
        self._of_session.clear()
        self._to_send.clear()
