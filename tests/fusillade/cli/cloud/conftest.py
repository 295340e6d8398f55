"""The API on a socket of this machine, and a user who has no login yet."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import pytest
import uvicorn
from apis import Api
from commands import fusillade


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's configuration directory, and nothing of an account in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("FUSILLADE_API_URL", "FUSILLADE_API_KEY", "FUSILLADE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config"


@pytest.fixture
async def url(api: Api, home: Path) -> AsyncIterator[str]:
    """Where the API listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(api.app, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        with mock.patch.object(server, "capture_signals", contextlib.nullcontext):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await serving


@pytest.fixture
async def key(api: Api, url: str) -> str:
    """An API key of an owner."""
    await api.user("owner@acme.test")
    async with await api.log_in("owner@acme.test") as client:
        answer = await client.post("/api/v1/keys", json={"name": "command line"})
        return str(answer.json()["key"])


@pytest.fixture
async def logged_in(url: str, key: str) -> str:
    """The address at which the command line is logged in."""
    done = await fusillade("login", key, "--api-url", url)
    assert done.code == 0, done.stderr
    return url
