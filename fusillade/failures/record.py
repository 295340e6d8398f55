"""One failed request, as it travels, is stored and is shown."""

import msgspec

MOST_TEXT = 2048
"""Characters of a body that are kept."""


class Header(msgspec.Struct, frozen=True):
    """One line of a head."""

    name: str
    value: str


class Body(msgspec.Struct, frozen=True):
    """What is kept of a body."""

    text: str
    size_bytes: int
    """Of all of it."""
    whole: bool
    """Whether ``text`` is all of it: neither cut nor, where it is no UTF-8, approximate."""


class Sent(msgspec.Struct, frozen=True):
    """The request, without what the driver adds by itself (``Host``, ``User-Agent``, ...)."""

    method: str
    url: str
    headers: list[Header]
    body: Body | None


class Received(msgspec.Struct, frozen=True):
    """The response."""

    status: int
    headers: list[Header]
    body: Body


class Timings(msgspec.Struct, frozen=True):
    """Its phases, in milliseconds."""

    duration: float
    blocked: float
    connecting: float
    tls_handshaking: float
    sending: float
    waiting: float
    receiving: float


class FailedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Failed by its status (400 and above), by an error, or by a check of its response."""

    time: str
    """When it was noticed: ISO 8601, UTC."""
    name: str
    """The endpoint's in the metrics."""
    scenario: str
    group: str
    worker: int
    """``__WORKER_ID``; 0 in ``setup()`` and ``teardown()``."""
    error: str | None
    """Such as ``ECONNREFUSED``; then there is no response."""
    check: str | None
    """The check that failed, where neither status nor an error tells."""
    request: Sent
    response: Received | None
    timings_ms: Timings

    @property
    def reason(self) -> str:
        """Why it failed, in a few words."""
        if self.check is not None:
            return f"check: {self.check}"
        if self.response is not None:
            return f"status {self.response.status}"
        return self.error or "no response"
