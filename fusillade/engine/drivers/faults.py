"""Faults on purpose: the options ``jitter`` and ``drop``, in front of the driver that sends."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from fusillade.engine.drivers.base import Driver, OnReady, Template
from fusillade.engine.drivers.front import Front
from fusillade.metrics.requests import ERROR_CODES

_SIMULATED = ERROR_CODES.index("SIMULATED")


class FaultyDriver(Front):
    """Holds requests up, or loses them.

    ``jitter_seconds``: the longest delay before a request, which is not part of its duration;
    ``drop``: the share of requests, between 0 and 1, that fail with status 0 and are not sent;
    ``spares``: whether a request that is begun now goes straight through.
    """

    def __init__(
        self,
        driver: Driver,
        on_ready: OnReady,
        *,
        jitter_seconds: float,
        drop: float,
        spares: Callable[[], bool],
    ) -> None:
        super().__init__(driver, on_ready)
        self.submit_rows = None  # each request has a fate of its own
        self._jitter_seconds = jitter_seconds
        self._drop = drop
        self._loop = asyncio.get_running_loop()
        self._held: dict[int, asyncio.TimerHandle] = {}
        self._spares = spares

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        request = (slot, template, series, body, timeout_ms, cookies)
        if self._spares():
            self._driver.submit(*request)
        elif self._jitter_seconds > 0:
            delay = random.uniform(0, self._jitter_seconds)
            self._held[slot] = self._loop.call_later(delay, self._go_on, request)
        else:
            self._send(request)

    def _go_on(self, request: tuple[Any, ...]) -> None:
        del self._held[request[0]]
        self._send(request)
        self._on_ready()

    def _send(self, request: tuple[Any, ...]) -> None:
        if self._drop > 0 and random.random() < self._drop:
            slot, _, series, *_ = request
            self.refuse(slot, series, _SIMULATED)
        else:
            self._driver.submit(*request)

    def cancel(self, slot: int) -> None:
        timer = self._held.pop(slot, None)
        if timer is not None:
            timer.cancel()
        super().cancel(slot)

    def close(self) -> None:
        for timer in self._held.values():
            timer.cancel()
        self._held.clear()
        super().close()
