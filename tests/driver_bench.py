"""An HTTP driver on its own, with an exchange that no script reads."""

import asyncio
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from secure_target import authority_pem

from fusillade.engine.drivers.base import Driver, Template
from fusillade.engine.drivers.curl import CurlDriver
from fusillade.engine.drivers.native import native
from fusillade.engine.drivers.plain import PlainDriver
from fusillade.engine.exchange import Exchange
from fusillade.metrics.requests import ERROR_CODES, REQUEST_COLUMNS


@dataclass
class Seen:
    """What a driver reported."""

    status: int
    error: str
    body: bytes
    head: bytes
    row: dict[str, float]


class Bench:
    """A driver with an exchange that no script reads."""

    def __init__(self, make: Callable[[Callable[[], None]], Driver]) -> None:
        sizes = {
            "control": 32,
            "completions": 20 * 1024,
            "wakes": 8,
            "commands": 8,
            "events": 8,
            "operations": 8,
            "values": 8,
            "scenarios": 8 * 64,
        }
        self._arrays: dict[str, Any] = {
            name: memoryview(array("d", bytes(8 * size))) for name, size in sizes.items()
        }
        for name in ("inBytes", "outBytes"):
            self._arrays[name] = memoryview(bytearray(8 << 20))
        self.exchange = Exchange(lambda: self._arrays, lambda: None, lambda: None)
        self._ready = asyncio.Event()
        self.driver = make(self._ready.set)
        self._number = 0

    async def send(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        timeout_ms: float = 5000,
    ) -> Seen:
        """One exchange from start to end."""
        self._number += 1
        template = Template(self._number, method, url, list(headers))
        self.driver.submit(7, template, 3, body, timeout_ms)
        async with asyncio.timeout(20):
            while not self.exchange.has_completions:
                self._ready.clear()
                more = self.driver.advance(self.exchange)
                if not more and not self.exchange.has_completions:
                    await self._ready.wait()
        numbers = list(self._arrays["completions"][:18])
        row = dict(zip(REQUEST_COLUMNS, self.exchange.rows()[0].tolist(), strict=True))
        content = bytes(self._arrays["inBytes"])[int(numbers[15]) :]
        head, length = int(numbers[16]), int(numbers[17])
        self.exchange.pump(0)
        assert numbers[0] == 7
        assert row["series"] == 3
        error = ERROR_CODES[int(row["error"])]
        return Seen(int(row["status"]), error, content[head : head + length], content[:head], row)


DRIVERS = ("curl", "plain", "native")


def make_bench(driver: str, **settings: Any) -> Bench:
    """A bench with one of ``DRIVERS``; it trusts the authority of ``secure_target.py``."""
    if driver == "native" and native is None:
        pytest.skip("the native module was not built: there was no C compiler")
    settings = {"user_agent": "test", "authorities": authority_pem()} | settings
    if driver == "curl":
        return Bench(lambda ready: CurlDriver(ready, **settings))
    return Bench(lambda ready: PlainDriver(ready, **settings, use_native=driver == "native"))
