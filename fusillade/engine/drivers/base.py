"""What an HTTP driver is: something that carries out single exchanges, and nothing more.

Redirects, cookies and retries are the runtime's affair (runtime/http.js): a driver sends one
request and reports one answer, so that every exchange that the target sees is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fusillade.engine.exchange import Exchange


@dataclass(slots=True)
class Template:
    """What stays the same in many requests: the runtime names it by a number."""

    number: int
    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)


def closing(template: Template) -> Template:
    """The same request on a connection that the server is asked to close after it."""
    headers = [(name, value) for name, value in template.headers if name.lower() != "connection"]
    return Template(
        template.number, template.method, template.url, [*headers, ("Connection", "close")]
    )


SubmitRows = Callable[[memoryview, int, int, memoryview, int], tuple[int, int]]
"""Takes operations as the exchange has them, the first of them, how many there are, their bytes,
and how many of those are used; returns the first operation that it has left, and the bytes used
then."""


class Driver(Protocol):
    """Carries out requests. Used from the event loop's thread only."""

    submit_rows: "SubmitRows | None"
    """For drivers that take many requests at once."""

    def submit(
        self,
        slot: int,
        template: Template,
        series: int,
        body: bytes | None,
        timeout_ms: float,
        cookies: bytes | None = None,
    ) -> None:
        """Begin an exchange; its completion will carry ``slot`` and ``series``.

        ``cookies``: the value of a ``Cookie`` header on top of the template's headers."""

    def cancel(self, slot: int) -> None:
        """Drop the exchange of ``slot``, if there is one: no completion follows."""

    def advance(self, exchange: Exchange) -> bool:
        """Move on, and put what has finished into the exchange.

        Returns True when there is more to do at once (it did something, or the exchange is full).
        """

    def drop_idle(self) -> None:
        """Close the connections that no exchange is under way on."""

    def forget_templates(self) -> None:
        """Templates known so far will not be named again: nothing needs to be kept for them."""

    def close(self) -> None:
        """Drop everything and close all connections."""


OnReady = Callable[[], None]
"""Called by a driver, from the event loop, when ``advance`` has something to do."""
