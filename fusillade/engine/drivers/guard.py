"""Blocked hosts, in front of the driver that sends."""

from fusillade.blocklist import Blocklist, host_of
from fusillade.engine.drivers.base import Driver, OnReady, Template
from fusillade.engine.drivers.front import Front
from fusillade.metrics.requests import ERROR_CODES

_BLOCKED = ERROR_CODES.index("EBLOCKED")


class Guard(Front):
    """Refuses requests to blocked hosts, also those that a redirect leads to. Where names lead, the
    driver behind it looks at.

    ``submit_rows`` is that driver's own: it takes only templates that have come through ``submit``.
    """

    def __init__(self, driver: Driver, on_ready: OnReady, blocklist: Blocklist) -> None:
        super().__init__(driver, on_ready)
        self._blocklist = blocklist
        self._verdicts: dict[int, bool] = {}

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
            self.refuse(slot, series, _BLOCKED)
        else:
            super().submit(slot, template, series, body, timeout_ms, cookies)

    def forget_templates(self) -> None:
        self._verdicts.clear()
        super().forget_templates()
