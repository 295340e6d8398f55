"""``fusillade demo``: a whole platform, a load test through its REST API, and nothing left behind.

What it does with the platform is what any client does: log in, make an API key, upload a script,
start it, listen on the WebSocket, read the result.
"""

import asyncio
import contextlib
import importlib.resources
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from fusillade.cli import demo_view, platform
from fusillade.cli.progress import Progress
from fusillade.errors import InternalError

SCRIPT = "quickstart.js"
SCRIPT_TARGET = "http://127.0.0.1:8080"
"""The address in the example, which the demo replaces by that of its own target."""


@dataclass(frozen=True)
class Target:
    """The HTTP server under load."""

    url: str

    async def answered(self, http: aiohttp.ClientSession) -> int:
        """Requests that it has counted itself."""
        async with http.get(f"{self.url}/answered") as response:
            return int(await response.text())


def demo(
    workers: Annotated[int, typer.Option(min=1, max=1000, help="Virtual users.")] = 10,
    duration: Annotated[int, typer.Option(min=1, max=600, help="Seconds of load.")] = 10,
) -> None:
    """Start a platform of its own, run a load test on it, show the result, take it all down."""
    from actors.platform import free_ports
    from fusillade.settings import Settings

    platform.interrupt_on_signals()
    console = Console(highlight=False)
    data_dir = Path(platform.short_directory("fusi-demo-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
        settings = Settings(
            data_dir=data_dir,
            host="127.0.0.1",
            port=free_ports(1)[0],
            database_url=None,
            admin_email="demo@fusillade.local",
            admin_password=None,
        )
        target = stack.enter_context(_target())
        started = platform.start(settings, report=lambda words: console.print(f"{words} ..."))
        stack.callback(_take_down, console, data_dir)
        if started.admin is None:
            raise InternalError("The demo's new database already has an administrator.")
        console.print(f"The platform is up at [b]{started.running.url}[/b]")
        client = _Client(started.running.url, console, target)
        status = asyncio.run(
            client.run(started.admin.email, started.admin.password, workers, duration)
        )
    raise typer.Exit(0 if status == "completed" else 1)


class _Client:
    """A user of the REST API at ``base`` who runs one test and watches it."""

    def __init__(self, base: str, console: Console, target: Target) -> None:
        self._base = base
        self._console = console
        self._target = target

    async def run(self, email: str, password: str, workers: int, duration_seconds: int) -> str:
        """Run the quickstart; returns the status in which it ended."""
        async with aiohttp.ClientSession(trust_env=False) as http:
            token = await self._log_in(http, email, password)
            key = await self._make_key(http, token)
            test_id = await self._create(http, key, workers, duration_seconds)
            status = await self._start_and_watch(http, key, token, test_id, duration_seconds)
            test = await self._call(http, "GET", f"/api/v1/tests/{test_id}", key)
            answered = await self._target.answered(http)
        self._console.print(demo_view.summary_table(test, answered))
        return status

    async def _log_in(self, http: aiohttp.ClientSession, email: str, password: str) -> str:
        self._step("POST /api/v1/auth/login", f"as {email}")
        body = {"email": email, "password": password}
        answer = await self._call(http, "POST", "/api/v1/auth/login", None, json=body)
        return str(answer["token"])

    async def _make_key(self, http: aiohttp.ClientSession, token: str) -> str:
        self._step("POST /api/v1/keys", "scope test:create")
        body = {"name": "demo", "scopes": ["test:create"]}
        answer = await self._call(http, "POST", "/api/v1/keys", token, json=body)
        return str(answer["key"])

    async def _create(
        self, http: aiohttp.ClientSession, key: str, workers: int, duration_seconds: int
    ) -> str:
        self._step("POST /api/v1/tests?wait=true", f"examples/{SCRIPT}, {workers} workers")
        form = aiohttp.FormData()
        form.add_field("name", "Quickstart")
        form.add_field(
            "script",
            script_for(self._target.url),
            filename=SCRIPT,
            content_type="application/javascript",
        )
        form.add_field("workers", str(workers))
        form.add_field("duration", str(duration_seconds))
        answer = await self._call(http, "POST", "/api/v1/tests?wait=true", key, data=form)
        if answer["status"] != "ready":
            raise InternalError(f"The test is {answer['status']} where it should be ready.")
        return str(answer["test_id"])

    async def _start_and_watch(
        self, http: aiohttp.ClientSession, key: str, token: str, test_id: str, seconds: int
    ) -> str:
        """Start the test and show its progress; returns the status in which it ended."""
        url = f"{self._base}/ws/runs/{test_id}"
        async with http.ws_connect(url, protocols=("auth", token)) as socket_:
            self._step(f"POST /api/v1/tests/{test_id}/start")
            await self._call(http, "POST", f"/api/v1/tests/{test_id}/start", key)
            with Progress(self._console, seconds) as progress:
                async for message in socket_:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        break
                    content = message.json()
                    if content["type"] == "metric":
                        progress.show(content)
                    elif content["type"] == "summary":
                        if content.get("reason"):
                            self._console.print(f"Reason: {content['reason']}")
                        return str(content["status"])
        raise InternalError("The WebSocket closed before the test's summary.")

    async def _call(
        self, http: aiohttp.ClientSession, method: str, path: str, key: str | None, **body: Any
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        timeout = aiohttp.ClientTimeout(total=330)
        async with http.request(
            method, f"{self._base}{path}", headers=headers, timeout=timeout, **body
        ) as response:
            content = await response.json()
        if response.status >= 400:
            raise InternalError(f"{method} {path} answered {response.status}: {content['error']}")
        return dict(content)

    def _step(self, call: str, detail: str = "") -> None:
        self._console.print(f"[cyan]{call}[/cyan] {detail}")


def script_for(target_url: str) -> bytes:
    """``examples/quickstart.js`` with its target replaced by ``target_url``."""
    text = importlib.resources.files("fusillade.examples").joinpath(SCRIPT).read_text("utf-8")
    if SCRIPT_TARGET not in text:
        raise InternalError(f"{SCRIPT} does not name {SCRIPT_TARGET}, which the demo replaces.")
    return text.replace(SCRIPT_TARGET, target_url).encode()


@contextlib.contextmanager
def _target() -> Iterator[Target]:
    """A process with the HTTP server to be loaded, on a free port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "fusillade.cli.demo_target", f"--fd={listener.fileno()}"],
            stdin=subprocess.PIPE,  # closed when we end, however we end: then it ends too
            pass_fds=(listener.fileno(),),
            start_new_session=True,  # Ctrl-C is for us alone
        )
    try:
        yield Target(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _take_down(console: Console, data_dir: Path) -> None:
    console.print("Taking the platform down ...")
    platform.stop(data_dir)
