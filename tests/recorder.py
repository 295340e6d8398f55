"""A server that keeps what it receives, for tests of what is sent."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Received:
    """One request as it came."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass
class Recorder:
    """A running server, and all that it has received."""

    url: str
    received: list[Received] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Method and target of each request."""
        return [f"{one.method} {one.target}" for one in self.received]


@contextlib.asynccontextmanager
async def recording(
    answer: Callable[[Received], web.Response] | None = None,
) -> AsyncIterator[Recorder]:
    """A server on a free port of 127.0.0.1 that answers 200, or what ``answer`` says."""
    recorder = Recorder("")

    async def handle(request: web.Request) -> web.Response:
        received = Received(
            request.method,
            request.raw_path,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        recorder.received.append(received)
        return web.Response() if answer is None else answer(received)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield recorder
    finally:
        await runner.cleanup()
