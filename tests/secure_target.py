"""The target of ``target.py`` over TLS, in this process, as HTTP/1.1 or HTTP/2."""

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import h2.config
import h2.connection
import h2.events
import trustme
from target import _Connection

_FRAME_BYTES = 16384
IDENTITIES = ("localhost", "127.0.0.1")


@functools.cache
def authority() -> trustme.CA:
    """Who has signed the certificates of all secure targets."""
    return trustme.CA()


@functools.cache
def authority_pem() -> str:
    """What to trust in order to trust them."""
    return authority().cert_pem.bytes().decode()


def server_context(
    protocols: Sequence[str] = (),
    *,
    signed_by: trustme.CA | None = None,
    identities: Sequence[str] = IDENTITIES,
    expires: datetime | None = None,
) -> ssl.SSLContext:
    """A server's context; ``protocols`` as ALPN names them, the preferred one first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    begins = datetime(2000, 1, 1) if expires is not None else None
    certificate = (signed_by or authority()).issue_cert(
        *identities, not_before=begins, not_after=expires
    )
    certificate.configure_cert(context)
    return context


class _Answer:
    """The transport that ``target.py`` writes its answer to: here it becomes a stream's."""

    def __init__(self, connection: "_Http2", stream: int) -> None:
        self._connection = connection
        self._stream = stream

    def write(self, answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        headers = [(":status", first.split()[1])]
        headers += [(name.lower(), value.strip()) for name, _, value in
                    (line.partition(":") for line in fields)]  # fmt: skip
        self._connection.answer(self._stream, headers, body)

    def close(self) -> None:
        self._connection.transport.close()


class _Http2(asyncio.Protocol):
    """One connection over HTTP/2."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        self._requests: dict[int, list[Any]] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._h2.initiate_connection()
        transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            match event:
                case h2.events.RequestReceived():
                    self._requests[event.stream_id] = [dict(event.headers), b""]
                case h2.events.DataReceived():
                    self._requests[event.stream_id][1] += event.data
                    self._h2.acknowledge_received_data(len(event.data), event.stream_id)
                case h2.events.StreamEnded():
                    self._respond(event.stream_id, *self._requests.pop(event.stream_id))
        self.transport.write(self._h2.data_to_send())

    def _respond(self, stream: int, headers: dict[str, str], body: bytes) -> None:
        lines = [f"{headers[':method']} {headers[':path']} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items() if name[0] != ":"]
        if body and "content-length" not in headers:
            lines.append(f"content-length: {len(body)}")
        inner = _Connection()
        inner.connection_made(_Answer(self, stream))
        inner.data_received("\r\n".join([*lines, "", ""]).encode() + body)

    def answer(self, stream: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._h2.send_headers(stream, headers, end_stream=not body)
        for at in range(0, len(body), _FRAME_BYTES):
            last = at + _FRAME_BYTES >= len(body)
            self._h2.send_data(stream, body[at : at + _FRAME_BYTES], end_stream=last)
        self.transport.write(self._h2.data_to_send())


class _Chosen(asyncio.Protocol):
    """Becomes the protocol that the handshake has chosen."""

    def __init__(self, target: "SecureTarget") -> None:
        self._target = target

    def connection_made(self, transport: Any) -> None:
        self._target.connections += 1
        self._target.transports.append(transport)
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        protocol = _Http2() if chosen == "h2" else _Connection()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


@dataclass
class SecureTarget:
    """A running one."""

    port: int = 0
    connections: int = 0
    """Whose handshake has come to its end."""
    names: list[str | None] = field(default_factory=list)
    """What clients have asked for by SNI."""

    transports: list[Any] = field(default_factory=list)

    def close_connections(self) -> None:
        """Close all that are open, as a server does after a while."""
        for transport in self.transports:
            transport.close()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@contextlib.asynccontextmanager
async def secure_target(context: ssl.SSLContext) -> AsyncIterator[SecureTarget]:
    """Serves until the block ends."""
    target = SecureTarget()
    context.sni_callback = lambda _socket, name, _context: target.names.append(name)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Chosen(target), "127.0.0.1", 0, ssl=context)
    target.port = server.sockets[0].getsockname()[1]
    try:
        yield target
    finally:
        server.close()
