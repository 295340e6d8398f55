"""The HTTP drivers by the names that ``options.http_driver`` may have."""

from collections.abc import Callable
from typing import Literal

from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.base import Driver, OnReady
from fusillade.engine.drivers.guard import Guard

DriverName = Literal["sockets", "libcurl"]


def make_driver(
    name: DriverName,
    on_ready: OnReady,
    *,
    user_agent: str,
    verify: bool = True,
    authorities: str = "",
    reuse: bool = True,
    blocklist: Blocklist | None = None,
) -> Driver:
    """A driver.

    ``verify``: servers' certificates; ``authorities``: PEM of those that are trusted besides the
    system's; ``reuse``: connections for more than one request; ``blocklist``: where none may go."""
    driver = driver_class(name)(
        on_ready,
        user_agent=user_agent,
        verify=verify,
        authorities=authorities,
        reuse=reuse,
        blocklist=blocklist,
    )
    return driver if blocklist is None else Guard(driver, on_ready, blocklist)


def driver_class(name: DriverName) -> Callable[..., Driver]:
    """What makes a driver; only the one asked for is imported."""
    if name == "libcurl":
        from fusillade.engine.drivers.curl import CurlDriver

        return CurlDriver
    from fusillade.engine.drivers.plain import PlainDriver

    return PlainDriver
