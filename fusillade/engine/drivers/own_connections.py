"""Connections of its own for each worker, closed between its iterations."""

from collections.abc import Callable

from fusillade.engine.drivers.base import Driver, OnReady, SubmitRows, Template
from fusillade.engine.exchange import Exchange


class OwnConnections:
    """A :class:`fusillade.engine.drivers.base.Driver` over one driver for each worker."""

    submit_rows: SubmitRows | None = None

    def __init__(self, make: Callable[[OnReady], Driver], on_ready: OnReady) -> None:
        self._make = make
        self._on_ready = on_ready
        self._drivers: dict[int, Driver] = {}
        self._of_slot: dict[int, int] = {}
        # Workers whose drivers have something to do, in the order in which they said so.
        self._ready: dict[int, None] = {}

    def own(self, slot: int, worker: int) -> None:
        """What is submitted for ``slot`` from now on is sent by ``worker``."""
        self._of_slot[slot] = worker

    def leave(self, worker: int) -> None:
        """``worker`` has ended an iteration: its connections are closed."""
        driver = self._drivers.get(worker)
        if driver is not None:
            driver.drop_idle()

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        worker = self._of_slot[slot]
        driver = self._drivers.get(worker)
        if driver is None:
            driver = self._drivers[worker] = self._make(lambda: self._wake(worker))
        driver.submit(slot, template, series, body, timeout_ms, cookies)
        self._ready[worker] = None

    def _wake(self, worker: int) -> None:
        self._ready[worker] = None
        self._on_ready()

    def cancel(self, slot: int) -> None:
        worker = self._of_slot.get(slot)
        if worker is not None and worker in self._drivers:
            self._drivers[worker].cancel(slot)
            self._ready[worker] = None

    def advance(self, exchange: Exchange) -> bool:
        ready, self._ready = self._ready, {}
        for worker in ready:
            if self._drivers[worker].advance(exchange):
                self._ready[worker] = None
        return len(self._ready) > 0

    def drop_idle(self) -> None:
        for driver in self._drivers.values():
            driver.drop_idle()

    def forget_templates(self) -> None:
        for driver in self._drivers.values():
            driver.forget_templates()

    def close(self) -> None:
        for driver in self._drivers.values():
            driver.close()
        self._drivers.clear()
        self._ready.clear()
