"""HTTP/2 on the wire: frames (RFC 9113, section 4) and header blocks (HPACK, RFC 7541).

We tell servers that our decoder's dynamic table has no room, so each header block stands for
itself: a block that has been seen before, byte for byte, need not be decoded again. Nor do our
own blocks use a table, so that a request's block is the same bytes each time.
"""

from dataclasses import dataclass
from struct import Struct

import hpack

from fusillade.engine.drivers.content_coding import is_encoded

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY = range(8)
WINDOW_UPDATE, CONTINUATION = 8, 9

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(
    1, 6
)

NO_ERROR = 0
REFUSED_STREAM, CANCEL = 7, 8

_LENGTH = Struct(">I").pack
_FRAME_HEAD = Struct(">BBI")
_SETTING = Struct(">HI")
_MOST_BLOCKS = 512
# Literal without indexing, its name in the static table (RFC 7541, 6.2.2 and appendix A).
_CONTENT_LENGTH = b"\x0f\x0d"
_COOKIE = b"\x0f\x11"


class NotHttp2(Exception):
    """The server sent something that the protocol does not allow."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return _LENGTH(len(payload))[1:] + _FRAME_HEAD.pack(kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*item) for item in values.items()))


def parse_settings(payload: bytes) -> list[tuple[int, int]]:
    """What a SETTINGS frame says. Raises :class:`NotHttp2`."""
    if len(payload) % _SETTING.size:
        raise NotHttp2("a SETTINGS frame of a wrong length")
    return list(_SETTING.iter_unpack(payload))


def _integer(value: int, bits: int) -> bytes:
    """RFC 7541, 5.1, with nothing in the bits before."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((value,))
    out = bytearray((most,))
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(content: bytes) -> bytes:
    """RFC 7541, 5.2, without Huffman coding."""
    return _integer(len(content), 7) + content


def block(fields: list[tuple[bytes, bytes]]) -> bytes:
    """A header block: literals without indexing."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def content_length(length: int) -> bytes:
    """One more field for a block."""
    return _CONTENT_LENGTH + _text(b"%d" % length)


def cookie(value: bytes) -> bytes:
    """One more field for a block."""
    return _COOKIE + _text(value)


@dataclass(frozen=True, slots=True)
class Head:
    """A response's header block, decoded."""

    status: int
    text: bytes
    """As HTTP/1.1 would write it."""
    length: int | None
    """``Content-Length``."""
    sets_cookies: bool
    is_encoded: bool
    """Whether it has a ``Content-Encoding``."""


class Heads:
    """Decodes header blocks."""

    def __init__(self) -> None:
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        # From the first block on: our settings come before our first request.
        self._decoder.header_table_size = self._decoder.max_allowed_table_size = 0
        self._known: dict[bytes, Head] = {}

    def decode(self, encoded: bytes) -> Head:
        """Raises :class:`NotHttp2`."""
        known = self._known.get(encoded)
        if known is None:
            known = self._decode(encoded)
            if len(self._known) >= _MOST_BLOCKS:
                self._known.clear()
            self._known[encoded] = known
        return known

    def _decode(self, encoded: bytes) -> Head:
        try:
            fields = self._decoder.decode(encoded, raw=True)
        except hpack.HPACKError as error:
            raise NotHttp2(str(error)) from error
        status, length, cookies = 0, None, False
        lines = []
        for name, value, *_ in fields:
            if name == b":status" and value.isdigit():
                status = int(value)
            elif not name.startswith(b":"):
                lines.append(name + b": " + value.replace(b"\r", b" ").replace(b"\n", b" "))
                if name == b"content-length" and value.isdigit():
                    length = int(value)
                cookies |= name == b"set-cookie"
        text = b"\r\n".join([b"HTTP/2 %d " % status, *lines]) + b"\r\n\r\n"
        return Head(status, text, length, cookies, is_encoded(text.lower()))
