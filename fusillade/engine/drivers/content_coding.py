"""Bodies with ``Content-Encoding`` (RFC 9110, 8.4), decoded the same way for every driver.

Only the body that a script sees is decoded: sizes stay those on the wire. What cannot be decoded,
or grows beyond measure, makes the exchange a failed one.
"""

import zlib
from collections.abc import Callable
from typing import Any

import brotli
from backports import zstd

LARGEST_BODY_BYTES = 64 << 20
"""What a body may decode to: more is taken for a decompression bomb."""

_MOST_CODINGS = 5
_PARTIAL_CONTENT = b"206"
_GZIP = 31
_ZLIB = 15
_RAW_DEFLATE = -15
# Its limit is a mark that it may well pass.
_BROTLI_STEP_BYTES = 1 << 20
# The largest window that RFC 9659 lets a server use: 8 MiB.
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}


class Undecodable(Exception):
    """The body is not what its ``Content-Encoding`` says, or too large."""


def decode_content(content: bytes, head_length: int) -> bytes:
    """Head and body of a whole response with the body decoded; the head stays as it is.

    A part of an encoded body (status 206) cannot be decoded on its own and is left alone.
    Raises :class:`Undecodable`.
    """
    head, body = content[:head_length], content[head_length:]
    if not body or _final(head)[0].split(b" ")[1:2] == [_PARTIAL_CONTENT]:
        return content
    return head + decode(body, codings(head))


def is_encoded(lower_head: bytes) -> bool:
    """Whether a head in lower case has a ``Content-Encoding``."""
    return b"\r\ncontent-encoding:" in lower_head


def codings(head: bytes) -> list[str]:
    """The codings that a head names, in the order in which they were applied."""
    found: list[str] = []
    for line in _final(head)[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-encoding":
            found += value.decode("latin-1").lower().split(",")
    return [coding.strip() for coding in found if coding.strip() not in ("", "identity")]


def _final(head: bytes) -> list[bytes]:
    """The lines of the final head, without interim ones before it."""
    return head.rstrip(b"\r\n").rpartition(b"\r\n\r\n")[2].split(b"\r\n")


def decode(body: bytes, applied: list[str]) -> bytes:
    """The body before ``applied`` codings; as it is if one of them is unknown.

    Raises :class:`Undecodable`.
    """
    if any(coding not in _DECODERS for coding in applied):
        return body
    if len(applied) > _MOST_CODINGS:
        raise Undecodable(f"{len(applied)} content codings")
    for coding in reversed(applied):
        try:
            body = _DECODERS[coding](body)
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise Undecodable(f"{coding}: {error}") from error
    return body


def _gunzip(body: bytes) -> bytes:
    return _members(body, lambda: zlib.decompressobj(_GZIP), b"\x1f\x8b")


def _inflate(body: bytes) -> bytes:
    """With zlib's header as the RFC wants it, or without, as some servers send it."""
    try:
        return _members(body, lambda: zlib.decompressobj(_ZLIB), None)
    except zlib.error:
        return _members(body, lambda: zlib.decompressobj(_RAW_DEFLATE), None)


def _unzstd(body: bytes) -> bytes:
    return _members(body, lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), b"")


def _members(body: bytes, start: Callable[[], Any], magic: bytes | None) -> bytes:
    """All members (gzip) or frames (zstd), one behind the other. Anything else that follows the
    end is ignored: where ``magic`` is None, all; else what does not begin with it."""
    decoded = bytearray()
    while True:
        decoder = start()
        decoded += decoder.decompress(body, LARGEST_BODY_BYTES + 1 - len(decoded))
        if len(decoded) > LARGEST_BODY_BYTES:
            raise Undecodable(f"more than {LARGEST_BODY_BYTES} bytes")
        if not decoder.eof:
            raise Undecodable("the body ends too early")
        body = decoder.unused_data
        if not body or magic is None or not body.startswith(magic):
            return bytes(decoded)


def _unbrotli(body: bytes) -> bytes:
    decoder = brotli.Decompressor()
    decoded = bytearray()
    while not decoder.is_finished():
        more = decoder.process(body, output_buffer_limit=_BROTLI_STEP_BYTES)
        body = b""
        decoded += more
        if len(decoded) > LARGEST_BODY_BYTES:
            raise Undecodable(f"more than {LARGEST_BODY_BYTES} bytes")
        if not more and decoder.can_accept_more_data():
            raise Undecodable("the body ends too early")
    return bytes(decoded)


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
