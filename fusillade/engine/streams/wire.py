"""What a protocol with lasting connections is: one small interface, one protocol a file."""

from typing import Protocol

import msgspec

MOST_MESSAGE_BYTES = 16 << 20
"""A longer message ends the connection: what a script can be sent must be bounded."""


class Asked(msgspec.Struct):
    """A connection as the script asked for it (JSON of an OPEN operation)."""

    protocol: str
    url: str
    headers: list[tuple[str, str]]
    tags: dict[str, str]
    subprotocols: list[str]
    timeout_ms: float
    max_retries: int
    """How often in a row a connection that was lost is tried again."""
    retry_delay_ms: float


class Opened(msgspec.Struct):
    """What the script may know of an open connection."""

    status: int
    protocol: str = ""
    error: None = None
    error_code: None = msgspec.field(name="errorCode", default=None)


class Message(msgspec.Struct):
    """One message that has come in."""

    kind: int
    """An ``Event`` of streams.py: TEXT, BINARY (as base64) or RECORD (JSON)."""
    content: bytes
    wire_bytes: int


class Lost(Exception):
    """The connection has ended, in whatever way; ``close_code`` if the protocol has such."""

    def __init__(self, close_code: int | None = None) -> None:
        super().__init__("the connection has ended")
        self.close_code = close_code


class Wire(Protocol):
    """A connection of one protocol. ``open`` may be called again after ``Lost``."""

    retry_delay_ms: float | None
    """The server's own word on how long to wait before connecting again."""

    async def open(self) -> Opened:
        """Connect. Raises what ``failures.failure_of`` knows."""

    async def receive(self) -> Message:
        """The next message; raises :class:`Lost`."""

    async def send(self, content: bytes, binary: bool) -> int:
        """Hand a message over, and wait while the other side takes nothing; bytes on the wire.

        Raises :class:`Lost`.
        """

    async def close(self) -> None:
        """Say goodbye where the protocol has a word for it, and let go of the socket."""
