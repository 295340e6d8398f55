"""Blocked hosts, in front of the driver that sends."""

from collections import deque

from fusillade.blocklist import Blocklist, host_of
from fusillade.engine.drivers.base import Driver, OnReady, Template
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES, NO_CONNECTION

_BLOCKED = ERROR_CODES.index("EBLOCKED")


class Guard:
    """A :class:`fusillade.engine.drivers.base.Driver` that refuses requests to blocked hosts, also
    those that a redirect leads to. Where names lead, the driver behind it looks at."""

    def __init__(self, driver: Driver, on_ready: OnReady, blocklist: Blocklist) -> None:
        self._driver = driver
        self._on_ready = on_ready
        self._blocklist = blocklist
        self._verdicts: dict[int, bool] = {}
        self._refused: deque[tuple[int, int]] = deque()
        # It takes only templates that have been submitted one by one before.
        self.submit_rows = driver.submit_rows

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        blocked = self._verdicts.get(template.number)
        if blocked is None:
            blocked = self._blocklist.blocks_host(host_of(template.url))
            self._verdicts[template.number] = blocked
        if blocked:
            self._refused.append((slot, series))
            self._on_ready()
        else:
            self._driver.submit(slot, template, series, body, timeout_ms, cookies)

    def cancel(self, slot: int) -> None:
        self._refused = deque(one for one in self._refused if one[0] != slot)
        self._driver.cancel(slot)

    def advance(self, exchange: Exchange) -> bool:
        refused = self._refused
        more = len(refused) > 0
        while refused:
            slot, series = refused[0]
            row = (slot, 0, series, 0, _BLOCKED, *[0.0] * 9, NO_CONNECTION)
            if not exchange.complete(row, b"", 0, False):
                return True
            refused.popleft()
        return self._driver.advance(exchange) or more

    def drop_idle(self) -> None:
        self._driver.drop_idle()

    def forget_templates(self) -> None:
        self._verdicts.clear()
        self._driver.forget_templates()

    def close(self) -> None:
        self._refused.clear()
        self._driver.close()
