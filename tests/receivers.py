"""A receiver of webhooks: an HTTPS server with a certificate of its own authority, in a thread."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from secure_target import authority_pem, server_context


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def delivery_id(self) -> str:
        return self.headers["X-Fusillade-Delivery"]

    @property
    def event(self) -> str:
        return str(json.loads(self.body)["event"])

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]

    def signed_by(self, *secrets: str) -> list[int | None]:
        """For each ``v1`` of the signature the number of the secret that made it."""
        timestamp, *signatures = self.headers["X-Fusillade-Signature"].split(",")
        text = f"{timestamp.removeprefix('t=')}.{self.body}".encode()
        made = [f"v1={hmac.new(s.encode(), text, hashlib.sha256).hexdigest()}" for s in secrets]
        return [made.index(one) if one in made else None for one in signatures]


@dataclass(frozen=True)
class Reply:
    """What the receiver answers."""

    status: int = 200
    body: bytes = b"thanks"
    headers: dict[str, str] = field(default_factory=dict)
    after: threading.Event | None = None
    """Not before this is set."""


@dataclass
class Receiver:
    """A running one. ``answer`` may be replaced at any time."""

    port: int = 0
    requests: list[Received] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """What clients have asked for by SNI."""
    answer: Callable[[Received], Reply] = lambda received: Reply()
    most_at_once: int = 0
    at_once: int = 0

    def url(self, path: str = "/hook", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    def events(self, path: str | None = None) -> list[str]:
        return [one.event for one in self.requests if path in (None, one.path)]

    async def until(self, count: int) -> list[Received]:
        """The requests once there are so many."""
        await eventually(lambda: len(self.requests) >= count)
        return self.requests

    def wait(self, wanted: Callable[["Receiver"], bool], seconds: float = 60) -> None:
        """The same for tests that are not asynchronous."""
        deadline = time.monotonic() + seconds
        while not wanted(self):
            assert time.monotonic() < deadline, self.events()
            time.sleep(0.05)

    async def handle(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        received = Received(request.path, dict(request.headers), body)
        self.requests.append(received)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            reply = self.answer(received)
            while reply.after is not None and not reply.after.is_set():  # noqa: ASYNC110 (a thread sets it)
                await asyncio.sleep(0.01)
        finally:
            self.at_once -= 1
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


async def eventually(holds: Callable[[], Any]) -> None:
    """Returns as soon as it holds; fails after half a minute."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 (anything may make it so)
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def running_receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serves until the block ends."""
    receiver = Receiver()
    tls = context or server_context()
    tls.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def serve() -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        receiver.port = runner.addresses[0][1]
        started.set()
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def ca_file(directory: Path) -> Path:
    """What to trust in order to trust receivers."""
    path = directory / "receivers.pem"
    path.write_text(authority_pem())
    return path
