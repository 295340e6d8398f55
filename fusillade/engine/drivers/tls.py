"""TLS for sockets of our own: OpenSSL between two buffers, nothing that blocks.

Sizes in the metrics are those of HTTP, before encryption, as libcurl counts them.
"""

import functools
import ssl

_RECORD_BYTES = 16 << 10
"""The most that one TLS record holds (RFC 8446, 5.1)."""

HTTP_2 = "h2"
HTTP_1 = "http/1.1"


@functools.cache
def make_context(
    *, verify: bool, authorities: str = "", protocols: tuple[str, ...] = (HTTP_2, HTTP_1)
) -> ssl.SSLContext:
    """The context of clients that offer these protocols (ALPN, RFC 7301), the preferred one first.

    ``authorities``: PEM of those that are trusted besides the system's."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    context.set_alpn_protocols(list(protocols))
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Secure:
    """One connection's encryption. All methods raise ``ssl.SSLError`` for what is not TLS."""

    __slots__ = ("_incoming", "_object", "_outgoing", "closed", "give", "read", "take", "write")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.closed = False
        """Whether the server has said that nothing follows (close_notify)."""
        # Bound once: all four are called for each request.
        self.give = self._incoming.write
        self.take = self._outgoing.read
        self.write = self._object.write
        self.read = self._object.read

    def shake(self) -> bool:
        """Go on with the handshake; True when it is done. :meth:`take` has what is to be sent."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    @property
    def protocol(self) -> str:
        """What the server has chosen."""
        return self._object.selected_alpn_protocol() or HTTP_1

    @property
    def pending(self) -> int:
        """Bytes that came and have not been looked at."""
        return self._incoming.pending

    def encrypt(self, data: bytes) -> bytes:
        """What to send for ``data``."""
        self.write(data)
        return self.take()

    def decrypt(self) -> bytes:
        """What :meth:`give` was given, as far as it is whole; sets :attr:`closed`."""
        parts = []
        try:
            while True:
                part = self.read(_RECORD_BYTES)
                if not part:
                    self.closed = True
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        return parts[0] if len(parts) == 1 else b"".join(parts)
