"""The HTTP drivers by the names that ``options.http_driver`` may have."""

from typing import Any, Literal

from fusillade.engine.drivers.base import Driver, OnReady

DriverName = Literal["sockets", "libcurl"]


def make_driver(
    name: DriverName,
    on_ready: OnReady,
    *,
    user_agent: str,
    verify: bool = True,
    authorities: str = "",
    reuse: bool = True,
) -> Driver:
    """A driver; only the one asked for is imported.

    ``verify``: servers' certificates; ``authorities``: PEM of those that are trusted besides the
    system's; ``reuse``: connections for more than one request."""
    settings: dict[str, Any] = {
        "user_agent": user_agent,
        "verify": verify,
        "authorities": authorities,
        "reuse": reuse,
    }
    if name == "libcurl":
        from fusillade.engine.drivers.curl import CurlDriver

        return CurlDriver(on_ready, **settings)
    from fusillade.engine.drivers.plain import PlainDriver

    return PlainDriver(on_ready, **settings)
