"""Bodies in chunks (RFC 9112, 7.1) as they came over the wire."""


class MalformedChunks(Exception):
    """What came is no sequence of chunks."""


def join_chunks(data: bytes) -> bytes:
    """The content of all chunks, whole or not; what follows the last one is trailers.

    Raises :class:`MalformedChunks`.
    """
    parts = []
    at = 0
    while at < len(data):
        end = data.find(b"\r\n", at)
        if end < 0:
            _size(data[at:].rstrip(b"\r") or b"0")
            break
        size = _size(data[at:end])
        if size == 0:
            break
        begin = end + 2
        at = begin + size
        parts.append(data[begin:at])
        if not b"\r\n".startswith(data[at : at + 2]):
            raise MalformedChunks(f"{data[at : at + 2]!r} after a chunk of {size} bytes")
        at += 2
    return b"".join(parts)


def _size(line: bytes) -> int:
    """By the line before a chunk: digits, then perhaps extensions."""
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise MalformedChunks(f"{digits[:20]!r} is no size of a chunk")
    return int(digits, 16)
