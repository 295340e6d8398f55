"""Which driver carries out a request: the plain one for ``http://``, libcurl for the rest."""

from collections.abc import Callable

from fusillade.engine.drivers.base import Driver, OnReady, Template
from fusillade.engine.drivers.curl import CurlDriver
from fusillade.engine.drivers.plain import PlainDriver
from fusillade.engine.exchange import Exchange


class Router:
    """A :class:`fusillade.engine.drivers.base.Driver` over two others."""

    def __init__(self, on_ready: OnReady, *, user_agent: str, verify: bool = True) -> None:
        self._plain = PlainDriver(on_ready, user_agent=user_agent)
        self._make_curl: Callable[[], CurlDriver] = lambda: CurlDriver(
            on_ready, user_agent=user_agent, verify=verify
        )
        self._curl: CurlDriver | None = None
        """Made when it is needed."""

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        driver: Driver
        if template.url[:7].lower() == "http://":
            driver = self._plain
        else:
            if self._curl is None:
                self._curl = self._make_curl()
            driver = self._curl
        driver.submit(slot, template, series, body, timeout_ms, cookies)

    def cancel(self, slot: int) -> None:
        self._plain.cancel(slot)
        if self._curl is not None:
            self._curl.cancel(slot)

    def advance(self, exchange: Exchange) -> bool:
        more = self._plain.advance(exchange)
        if self._curl is not None:
            more |= self._curl.advance(exchange)
        return more

    def forget_templates(self) -> None:
        self._plain.forget_templates()
        if self._curl is not None:
            self._curl.forget_templates()

    def close(self) -> None:
        self._plain.close()
        if self._curl is not None:
            self._curl.close()
