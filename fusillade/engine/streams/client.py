"""The HTTP client below WebSockets and event streams."""

import socket
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.tls import HTTP_1, make_context
from fusillade.engine.streams.failures import Blocked


class _Resolver(aiohttp.ThreadedResolver):
    """Asks for no blocked name, also where a redirect leads to one. What names lead to is looked at
    when the socket is made."""

    def __init__(self, blocklist: Blocklist) -> None:
        super().__init__()
        self._blocklist = blocklist

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises :class:`Blocked` for a blocked name, ``OSError``."""
        if self._blocklist.blocks_host(host):
            raise Blocked
        return await super().resolve(host, port, family)


def make_session(
    user_agent: str, verify: bool, authorities: str, blocklist: Blocklist | None = None
) -> aiohttp.ClientSession:
    """A client without limits, cookies, proxies or timeouts of its own: those are the script's.

    Without ``verify`` any certificate will do; ``authorities``: PEM of those that are trusted
    besides the system's; ``blocklist``: where no connection may go (:class:`Blocked`). Needs a
    running event loop.
    """

    def make_socket(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if blocklist is not None and blocklist.blocks_address(address[0]):
            raise Blocked
        return socket.socket(family, kind, protocol)

    context = make_context(verify=verify, authorities=authorities, protocols=(HTTP_1,))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            ssl=context,
            force_close=True,
            socket_factory=make_socket,
            resolver=None if blocklist is None else _Resolver(blocklist),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    )
