"""Faults on purpose: the options ``jitter`` and ``drop``, in front of the driver that sends."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from fusillade.engine.drivers.base import Driver, OnReady, SubmitRows, Template
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES, NO_CONNECTION

_SIMULATED = ERROR_CODES.index("SIMULATED")


class FaultyDriver:
    """A :class:`fusillade.engine.drivers.base.Driver` that holds requests up, or loses them.

    ``jitter_seconds``: the longest delay before a request, which is not part of its duration;
    ``drop``: the share of requests, between 0 and 1, that fail with status 0 and are not sent;
    ``spares``: whether a request that is begun now goes straight through.
    """

    submit_rows: SubmitRows | None = None

    def __init__(
        self,
        driver: Driver,
        on_ready: OnReady,
        *,
        jitter_seconds: float,
        drop: float,
        spares: Callable[[], bool],
    ) -> None:
        self._driver = driver
        self._on_ready = on_ready
        self._jitter_seconds = jitter_seconds
        self._drop = drop
        self._loop = asyncio.get_running_loop()
        self._held: dict[int, asyncio.TimerHandle] = {}
        self._lost: deque[tuple[int, int]] = deque()
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
            self._lost.append((slot, series))
            self._on_ready()
        else:
            self._driver.submit(*request)

    def cancel(self, slot: int) -> None:
        timer = self._held.pop(slot, None)
        if timer is not None:
            timer.cancel()
        self._lost = deque(lost for lost in self._lost if lost[0] != slot)
        self._driver.cancel(slot)

    def advance(self, exchange: Exchange) -> bool:
        lost = self._lost
        more = len(lost) > 0
        while lost:
            slot, series = lost[0]
            row = (slot, 0, series, 0, _SIMULATED, *[0.0] * 9, NO_CONNECTION)
            if not exchange.complete(row, b"", 0, False):
                return True
            lost.popleft()
        return self._driver.advance(exchange) or more

    def drop_idle(self) -> None:
        self._driver.drop_idle()

    def forget_templates(self) -> None:
        self._driver.forget_templates()

    def close(self) -> None:
        for timer in self._held.values():
            timer.cancel()
        self._held.clear()
        self._lost.clear()
        self._driver.close()
