"""What stands in front of the driver that sends: it passes requests on, or answers them itself."""

from collections import deque

from fusillade.engine.drivers.base import Driver, OnReady, SubmitRows, Template
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import NO_CONNECTION


class Front:
    """A :class:`fusillade.engine.drivers.base.Driver` before another one. This one passes all on;
    a subclass has a ``submit`` that calls ``refuse`` for some."""

    def __init__(self, driver: Driver, on_ready: OnReady) -> None:
        self._driver = driver
        self._on_ready = on_ready
        self._refused: deque[tuple[int, int, int]] = deque()
        self.submit_rows: SubmitRows | None = driver.submit_rows

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        self._driver.submit(slot, template, series, body, timeout_ms, cookies)

    def refuse(self, slot: int, series: int, error: int) -> None:
        """Answer a request with status 0 and this error (position in ``ERROR_CODES``), unsent."""
        self._refused.append((slot, series, error))
        self._on_ready()

    def cancel(self, slot: int) -> None:
        self._refused = deque(one for one in self._refused if one[0] != slot)
        self._driver.cancel(slot)

    def advance(self, exchange: Exchange) -> bool:
        refused = self._refused
        more = len(refused) > 0
        while refused:
            slot, series, error = refused[0]
            row = (slot, 0, series, 0, error, *[0.0] * 9, NO_CONNECTION)
            if not exchange.complete(row, b"", 0, False):
                return True
            refused.popleft()
        return self._driver.advance(exchange) or more

    def drop_idle(self) -> None:
        self._driver.drop_idle()

    def forget_templates(self) -> None:
        self._driver.forget_templates()

    def close(self) -> None:
        self._refused.clear()
        self._driver.close()
