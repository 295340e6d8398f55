"""The HTTP client below WebSockets and event streams."""

import aiohttp

from fusillade.engine.drivers.tls import HTTP_1, make_context


def make_session(user_agent: str, verify: bool, authorities: str) -> aiohttp.ClientSession:
    """A client without limits, cookies, proxies or timeouts of its own: those are the script's.

    Without ``verify`` any certificate will do; ``authorities``: PEM of those that are trusted
    besides the system's. Needs a running event loop.
    """
    context = make_context(verify=verify, authorities=authorities, protocols=(HTTP_1,))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=context, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    )
