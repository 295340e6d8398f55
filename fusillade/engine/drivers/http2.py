"""HTTP/2 over one connection (RFC 9113): many exchanges side by side.

A session knows neither sockets nor encryption: it is fed what came, and has in ``out`` what is to
be sent. Requests of one turn of the engine leave in one piece.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from struct import Struct

from fusillade.engine.drivers import frames
from fusillade.engine.drivers.frames import Head, Heads, NotHttp2

HTTP_2 = 20
"""What rows say of the protocol."""

_FRAME = Struct(">BHBBI").unpack_from
_NUMBER = Struct(">I")
_OUR_WINDOW = 16 << 20
"""Bytes of one body that a server may send before we say that we have room for more."""
_CONNECTION_WINDOW = 1 << 30
_DEFAULT_WINDOW = 65535
_LARGEST_WINDOW = (1 << 31) - 1
_LAST_STREAM = 1 << 30
_LONGEST_BLOCK = 1 << 20
_OUR_SETTINGS = {
    frames.HEADER_TABLE_SIZE: 0,
    frames.ENABLE_PUSH: 0,
    frames.INITIAL_WINDOW_SIZE: _OUR_WINDOW,
}

now = time.perf_counter


@dataclass(slots=True, eq=False)
class Stream:
    """One exchange."""

    slot: int
    series: int
    block: bytes
    """The request's header block."""
    body: bytes
    is_head: bool
    deadline: float
    started: float
    phases: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """``blocked``, ``connecting`` and ``tls_handshaking``, in milliseconds."""
    number: int = 0
    session: "Session | None" = None
    unsent: memoryview | None = None
    """What flow control holds back of the body."""
    window: int = 0
    """Bytes of the body that the server has room for."""
    unacknowledged: int = 0
    """Bytes received since we last made room for more."""
    began: float = 0.0
    sent: float = 0.0
    first_byte: float = 0.0
    bytes_sent: int = 0
    received: int = 0
    length: int = 0
    """Bytes of the response's body so far."""
    head: Head | None = None
    parts: list[bytes] = field(default_factory=list)
    reused: bool = False
    retried: bool = False


class Session:
    """The client's side of a connection.

    ``finished`` has the streams that ended, each with what it ended with: an empty text, or why
    there is no whole response (``reset``, ``refused``: may be tried again, ``malformed``)."""

    def __init__(self) -> None:
        self.out = bytearray(frames.PREFACE)
        self.out += frames.settings(_OUR_SETTINGS)
        self._make_room(0, _CONNECTION_WINDOW - _DEFAULT_WINDOW)
        self.streams: dict[int, Stream] = {}
        self.finished: deque[tuple[Stream, str]] = deque()
        self.most_streams = 100
        """Until the server says how many it allows."""
        self.closing = False
        """Takes no new streams."""
        self._unsent: deque[Stream] = deque()
        self._begun: list[Stream] = []
        self._heads = Heads()
        self._rest = b""
        self._next = 1
        self._window = _DEFAULT_WINDOW
        self._stream_window = _DEFAULT_WINDOW
        self._largest_frame = 16384
        self._unacknowledged = 0
        self._block: tuple[Stream | None, bytearray, int] | None = None
        """Stream, header block and flags while CONTINUATION frames are to follow."""

    @property
    def has_room(self) -> bool:
        """Whether one more stream may begin."""
        return not self.closing and len(self.streams) < self.most_streams

    # ---- requests --------------------------------------------------------------------------

    def begin(self, stream: Stream) -> None:
        """Put a request into ``out``."""
        number = stream.number = self._next
        self._next += 2
        if self._next > _LAST_STREAM:
            self.closing = True
        stream.session = self
        self.streams[number] = stream
        before = len(self.out)
        self._put_head(stream)
        stream.window = self._stream_window
        if stream.body:
            stream.unsent = memoryview(stream.body)
            self._unsent.append(stream)
            self._put_bodies()
        stream.bytes_sent = len(self.out) - before
        self._begun.append(stream)

    def _put_head(self, stream: Stream) -> None:
        flags = 0 if stream.body else frames.END_STREAM
        encoded, kind = stream.block, frames.HEADERS
        while len(encoded) > self._largest_frame:
            self.out += frames.frame(kind, flags, stream.number, encoded[: self._largest_frame])
            encoded, kind, flags = encoded[self._largest_frame :], frames.CONTINUATION, 0
        self.out += frames.frame(kind, flags | frames.END_HEADERS, stream.number, encoded)

    def _put_bodies(self) -> None:
        """As much of all bodies as flow control allows."""
        for _ in range(len(self._unsent)):
            stream = self._unsent.popleft()
            if stream.number not in self.streams or stream.unsent is None:
                continue
            while stream.unsent is not None:
                size = min(len(stream.unsent), self._largest_frame, stream.window, self._window)
                if size <= 0:
                    self._unsent.append(stream)
                    break
                piece, rest = stream.unsent[:size], stream.unsent[size:]
                flags = 0 if rest else frames.END_STREAM
                self.out += frames.frame(frames.DATA, flags, stream.number, bytes(piece))
                stream.bytes_sent += size + 9
                stream.window -= size
                self._window -= size
                stream.unsent = rest if rest else None

    def begun(self, began: float, sent: float) -> None:
        """``out`` has been sent, between these moments."""
        for stream in self._begun:
            stream.began, stream.sent = began, sent
        self._begun.clear()

    def cancel(self, stream: Stream) -> None:
        """Nobody waits for this one any more."""
        if self.streams.pop(stream.number, None) is not None:
            code = _NUMBER.pack(frames.CANCEL)
            self.out += frames.frame(frames.RST_STREAM, 0, stream.number, code)

    # ---- answers ---------------------------------------------------------------------------

    def feed(self, data: bytes, arrived: float) -> None:
        """Take what came. Raises :class:`NotHttp2`: the connection is of no use then."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 9:
            high, low, kind, flags, number = _FRAME(data, at)
            begin = at + 9
            at = begin + (high << 16) + low
            if at > end:
                at = begin - 9
                break
            if self._block is not None and kind != frames.CONTINUATION:
                raise NotHttp2("a header block is interrupted")
            if kind == frames.DATA:
                self._data(number & _LARGEST_WINDOW, flags, data, begin, at, arrived)
            elif kind == frames.HEADERS:
                self._headers(number & _LARGEST_WINDOW, flags, data[begin:at], arrived)
            else:
                self._other(kind, flags, number & _LARGEST_WINDOW, data[begin:at], arrived)
        self._rest = data[at:]
        if self._unacknowledged > _CONNECTION_WINDOW // 4:
            self._make_room(0, self._unacknowledged)
            self._unacknowledged = 0

    def _data(
        self, number: int, flags: int, data: bytes, begin: int, end: int, arrived: float
    ) -> None:
        size = end - begin
        self._unacknowledged += size
        stream = self.streams.get(number)
        if stream is None:
            return
        stream.received += size + 9
        stream.unacknowledged += size
        if flags & frames.PADDED:
            if begin == end or data[begin] >= end - begin:
                raise NotHttp2("more padding than data")
            end -= data[begin]
            begin += 1
        if stream.head is None:
            raise NotHttp2("a body before its header")
        stream.parts.append(data[begin:end])
        stream.length += end - begin
        if flags & frames.END_STREAM:
            self._finish(stream)
        elif stream.unacknowledged > _OUR_WINDOW // 2:
            self._make_room(number, stream.unacknowledged)
            stream.unacknowledged = 0

    def _headers(self, number: int, flags: int, payload: bytes, arrived: float) -> None:
        stream = self.streams.get(number)
        if stream is not None:
            if not stream.first_byte:
                stream.first_byte = arrived
            stream.received += len(payload) + 9
        if flags & (frames.PADDED | frames.HAS_PRIORITY):
            begin = 0
            end = len(payload)
            if flags & frames.PADDED:
                end -= payload[0] if payload else 1
                begin = 1
            if flags & frames.HAS_PRIORITY:
                begin += 5
            if begin > end:
                raise NotHttp2("more padding than header")
            payload = payload[begin:end]
        if flags & frames.END_HEADERS:
            self._head(stream, payload, flags)
        else:
            self._block = (stream, bytearray(payload), flags)

    def _continuation(self, number: int, flags: int, payload: bytes) -> None:
        if self._block is None:
            raise NotHttp2("a CONTINUATION of nothing")
        stream, encoded, first_flags = self._block
        if stream is not None and stream.number != number:
            raise NotHttp2("a CONTINUATION of another stream")
        encoded += payload
        if len(encoded) > _LONGEST_BLOCK:
            raise NotHttp2("a header of more than 1 MiB")
        if stream is not None:
            stream.received += len(payload) + 9
        if flags & frames.END_HEADERS:
            self._block = None
            self._head(stream, bytes(encoded), first_flags)

    def _head(self, stream: Stream | None, encoded: bytes, flags: int) -> None:
        head = self._heads.decode(encoded)
        if stream is None:
            return
        if stream.head is None and head.status >= 200:
            stream.head = head
        elif stream.head is None and not 100 <= head.status < 200:
            raise NotHttp2("a response without a status")
        if flags & frames.END_STREAM:
            self._finish(stream)

    def _finish(self, stream: Stream) -> None:
        head = stream.head
        if head is None:
            raise NotHttp2("a response ends before its header")
        del self.streams[stream.number]
        whole = stream.is_head or head.length is None or head.length == stream.length
        # A server may refuse the rest of a body (RFC 9113, 8.1).
        if stream.unsent is not None:
            stream.unsent = None
            code = _NUMBER.pack(frames.NO_ERROR)
            self.out += frames.frame(frames.RST_STREAM, 0, stream.number, code)
        self.finished.append((stream, "" if whole or head.status == 304 else "malformed"))

    # ---- everything else -------------------------------------------------------------------

    def _other(self, kind: int, flags: int, number: int, payload: bytes, arrived: float) -> None:
        if kind == frames.CONTINUATION:
            self._continuation(number, flags, payload)
        elif kind == frames.SETTINGS:
            if not flags & frames.ACK:
                self._settings(payload)
        elif kind == frames.WINDOW_UPDATE:
            self._more_room(number, _number(payload))
        elif kind == frames.PING:
            if not flags & frames.ACK:
                self.out += frames.frame(frames.PING, frames.ACK, 0, payload)
        elif kind == frames.RST_STREAM:
            stream = self.streams.pop(number, None)
            if stream is not None:
                refused = _number(payload) == frames.REFUSED_STREAM
                self.finished.append((stream, "refused" if refused else "reset"))
        elif kind == frames.GOAWAY:
            self.closing = True
            last = _number(payload) & _LARGEST_WINDOW
            for stream in [one for one in self.streams.values() if one.number > last]:
                del self.streams[stream.number]
                self.finished.append((stream, "refused"))
        elif kind == frames.PUSH_PROMISE:
            raise NotHttp2("a push, which we have refused")

    def _settings(self, payload: bytes) -> None:
        for name, value in frames.parse_settings(payload):
            if name == frames.MAX_CONCURRENT_STREAMS:
                self.most_streams = value
            elif name == frames.INITIAL_WINDOW_SIZE:
                if value > _LARGEST_WINDOW:
                    raise NotHttp2("a window of more than 2 GiB")
                for stream in self.streams.values():
                    stream.window += value - self._stream_window
                self._stream_window = value
            elif name == frames.MAX_FRAME_SIZE:
                if not 16384 <= value < 1 << 24:
                    raise NotHttp2("a wrong frame size")
                self._largest_frame = value
        self.out += frames.frame(frames.SETTINGS, frames.ACK, 0)
        self._put_bodies()

    def _more_room(self, number: int, size: int) -> None:
        if number == 0:
            self._window += size
        elif (stream := self.streams.get(number)) is not None:
            stream.window += size
        self._put_bodies()

    def _make_room(self, number: int, size: int) -> None:
        self.out += frames.frame(frames.WINDOW_UPDATE, 0, number, _NUMBER.pack(size))


def _number(payload: bytes) -> int:
    if len(payload) < _NUMBER.size:
        raise NotHttp2("a frame that is too short")
    return int(_NUMBER.unpack_from(payload)[0])
