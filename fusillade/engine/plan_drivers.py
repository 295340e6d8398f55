"""What sends for a test, as its plan asks: HTTP drivers, and WebSockets and event streams."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fusillade import __version__
from fusillade.blocklist import Blocklist
from fusillade.engine.drivers.base import Driver, OnReady
from fusillade.engine.drivers.faults import FaultyDriver
from fusillade.engine.drivers.named import make_driver
from fusillade.engine.drivers.own_connections import OwnConnections
from fusillade.script.plan import Plan

if TYPE_CHECKING:
    from fusillade.engine.streams.streams import Streams


def plan_driver(
    plan: Plan, blocklist: Blocklist | None, ready: OnReady, is_warming: Callable[[], bool]
) -> Driver:
    """``is_warming``: whether requests are those of ``warmup``, which jitter and drop spare."""

    def one(each_ready: OnReady) -> Driver:
        driver = make_driver(
            plan.http_driver,
            each_ready,
            user_agent=_user_agent(plan),
            verify=not plan.insecure,
            authorities=plan.ca_certificates,
            reuse=plan.connection_reuse,
            blocklist=blocklist,
        )
        if not plan.jitter_seconds and not plan.drop:
            return driver
        return FaultyDriver(
            driver,
            each_ready,
            jitter_seconds=plan.jitter_seconds,
            drop=plan.drop,
            spares=is_warming,
        )

    return OwnConnections(one, ready) if plan.own_connections else one(ready)


def plan_streams(
    plan: Plan,
    blocklist: Blocklist | None,
    ready: OnReady,
    broke: Callable[[Exception], None],
) -> "Streams":
    """``broke``: called if they cannot go on."""
    # Most scripts need no aiohttp: starting stays quick without it.
    from fusillade.engine.streams.streams import Streams

    return Streams(
        ready,
        broke,
        user_agent=_user_agent(plan),
        verify=not plan.insecure,
        authorities=plan.ca_certificates,
        max_redirects=plan.max_redirects,
        blocklist=blocklist,
    )


def _user_agent(plan: Plan) -> str:
    return plan.user_agent or f"fusillade/{__version__}"
