"""Where connections for webhooks may go: addresses are looked at when they are connected to.

A name is resolved once for each connection, all its addresses are looked at, and the connection
goes to one of those very addresses; so an answer that changes afterwards changes nothing.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from fusillade import addresses
from fusillade.webhooks.urls import IN_WORDS, is_open

AddressInfo = tuple[int, int, int, str, tuple[object, ...]]
"""One answer of ``getaddrinfo``."""


class AddressRefused(OSError):
    """No webhook may lead there. The message says what kind of place it is, and not its number:
    names of the network that the platform stands in are nobody's to look up."""


def check_address(text: str, *, allow_private: bool) -> None:
    """Raises :class:`AddressRefused` for an address that no webhook may lead to."""
    kind = addresses.kind_of(ipaddress.ip_address(text.partition("%")[0]))
    if not is_open(kind, allow_private=allow_private):
        raise AddressRefused(
            errno.EACCES, f"it leads to {IN_WORDS[kind]}; webhooks go to public hosts only"
        )


def socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Makes the sockets of a connector. Whatever the URL and the name server said: there is none
    for an address that is refused."""

    def make(info: AddressInfo) -> socket.socket:
        family, type_, protocol, _, address = info
        check_address(str(address[0]), allow_private=allow_private)
        return socket.socket(family, type_, protocol)

    return make


class Resolver(AbstractResolver):
    """The system's, in threads of its own: a name server that hangs holds up nobody else.

    A name is refused if one of its addresses is.
    """

    def __init__(self, *, threads: int, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises :class:`AddressRefused`, ``OSError``."""
        infos = await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        found = []
        for family_, _, protocol, _, address in infos:
            text = str(address[0])
            check_address(text, allow_private=self._allow_private)
            found.append(
                ResolveResult(
                    hostname=host,
                    host=text,
                    port=port,
                    family=family_,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        return found

    async def close(self) -> None:
        """Resolve nothing more; questions under way come to their end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def connector(
    tls: ssl.SSLContext, *, connections: int, allow_private: bool
) -> aiohttp.TCPConnector:
    """Connections that are looked at, each used once; made in the event loop that uses them."""
    return aiohttp.TCPConnector(
        ssl=tls,
        limit=0,
        # A kept connection that the receiver closes just then would cost an attempt.
        force_close=True,
        use_dns_cache=False,
        resolver=Resolver(threads=connections, allow_private=allow_private),
        socket_factory=socket_factory(allow_private=allow_private),
    )
