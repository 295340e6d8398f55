"""The HTTP drivers by the names that ``options.http_driver`` may have."""

from typing import Literal

from fusillade.engine.drivers.base import Driver, OnReady

DriverName = Literal["sockets", "libcurl"]


def make_driver(
    name: DriverName,
    on_ready: OnReady,
    *,
    user_agent: str,
    verify: bool = True,
    reuse: bool = True,
) -> Driver:
    """A driver; only the one asked for is imported. ``reuse``: of connections, for more than one
    request."""
    if name == "libcurl":
        from fusillade.engine.drivers.curl import CurlDriver

        return CurlDriver(on_ready, user_agent=user_agent, verify=verify, reuse=reuse)
    from fusillade.engine.drivers.plain import PlainDriver

    return PlainDriver(on_ready, user_agent=user_agent, verify=verify, reuse=reuse)
