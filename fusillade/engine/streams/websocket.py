"""WebSockets (RFC 6455)."""

import base64

import aiohttp
from aiohttp import WSMsgType

from fusillade.engine.streams.events import Event
from fusillade.engine.streams.wire import MOST_MESSAGE_BYTES, Asked, Lost, Message, Opened

_MASK_BYTES = 4
_ABNORMAL_CLOSURE = 1006


class WebSocket:
    """A :class:`fusillade.engine.streams.wire.Wire`."""

    def __init__(self, session: aiohttp.ClientSession, asked: Asked) -> None:
        self._session = session
        self._asked = asked
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self.retry_delay_ms: float | None = None

    async def open(self) -> Opened:
        self._socket = socket = await self._session.ws_connect(
            self._asked.url,
            headers=self._asked.headers,
            protocols=self._asked.subprotocols,
            max_msg_size=MOST_MESSAGE_BYTES,
            decode_text=False,
        )
        return Opened(101, socket.protocol or "")

    async def receive(self) -> Message:
        assert self._socket is not None
        message = await self._socket.receive()
        match message.type:
            case WSMsgType.TEXT:
                length = len(message.data)
                return Message(Event.TEXT, message.data, length + _header_bytes(length))
            case WSMsgType.BINARY:
                length = len(message.data)
                content = base64.b64encode(message.data)
                return Message(Event.BINARY, content, length + _header_bytes(length))
        raise Lost(self._socket.close_code or _ABNORMAL_CLOSURE)

    async def send(self, content: bytes, binary: bool) -> int:
        assert self._socket is not None
        try:
            await self._socket.send_frame(content, WSMsgType.BINARY if binary else WSMsgType.TEXT)
        except (aiohttp.ClientError, OSError) as error:
            raise Lost from error
        return len(content) + _header_bytes(len(content)) + _MASK_BYTES

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


def _header_bytes(length: int) -> int:
    """Length of a frame's header without the mask (RFC 6455, 5.2)."""
    if length < 126:
        return 2
    return 4 if length < 1 << 16 else 10
