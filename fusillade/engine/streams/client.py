"""The HTTP client below WebSockets and event streams."""

import errno
import socket
from typing import Any

import aiohttp

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.tls import HTTP_1, make_context


def make_session(
    user_agent: str, verify: bool, authorities: str, blocklist: Blocklist | None = None
) -> aiohttp.ClientSession:
    """A client without limits, cookies, proxies or timeouts of its own: those are the script's.

    Without ``verify`` any certificate will do; ``authorities``: PEM of those that are trusted
    besides the system's; ``blocklist``: where no connection may go (it fails with EPERM). Needs a
    running event loop.
    """

    def make_socket(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if blocklist is not None and blocklist.blocks_address(address[0]):
            raise PermissionError(errno.EPERM, f"{address[0]} is blocked")
        return socket.socket(family, kind, protocol)

    context = make_context(verify=verify, authorities=authorities, protocols=(HTTP_1,))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, ssl=context, force_close=True, socket_factory=make_socket
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    )
