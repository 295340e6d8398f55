"""Length-prefixed MessagePack over a stream: how a script host and its parent exchange messages."""

import asyncio
from typing import Any

import msgspec

LARGEST_MESSAGE = 256 << 20
_PREFIX = 4

_encoder = msgspec.msgpack.Encoder()


class BadFrame(Exception):
    """The other side sent something that is not one of the known messages."""


def frame(message: msgspec.Struct) -> bytes:
    """One message as it goes over the wire: 4 bytes big-endian length, then MessagePack."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_PREFIX, "big") + body


async def read_message(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """The next message, or None at the end of the stream. Raises :class:`BadFrame`."""
    try:
        prefix = await reader.readexactly(_PREFIX)
        length = int.from_bytes(prefix, "big")
        if length > LARGEST_MESSAGE:
            raise BadFrame(f"a message of {length} bytes is over the limit of {LARGEST_MESSAGE}")
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise BadFrame(f"not a known message: {error}") from error
