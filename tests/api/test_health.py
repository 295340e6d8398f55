"""Health: of this process alone, and of all parts."""

import asyncio
import os
import signal
import socket
import threading
from typing import Any

import httpx
import pytest
import sqlalchemy
from apis import Api

from actors import cluster_health, scheduler, webhook_dispatcher


@pytest.fixture
def ray_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_health, "ask_ray", lambda: {"nodes": 1, "actors": 3})
    monkeypatch.setattr(scheduler, "ask", lambda: {"under_way": 0})
    monkeypatch.setattr(webhook_dispatcher, "ask", lambda: {"in_flight": 0})


async def _deep(api: Api) -> httpx.Response:
    async with api.client() as anybody:
        return await anybody.get("/health/deep")


async def test_anybody_may_ask_whether_all_is_well(api: Api, ray_is_well: None) -> None:
    answer = await _deep(api)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == body["database"]["status"] == "ok"
    assert body["database"]["latency_ms"] > 0
    assert (body["ray"]["nodes"], body["ray"]["actors"]) == (1, 3)
    assert body["redis"] == {"status": "not used", "latency_ms": None}


async def test_without_ray_it_is_503_and_says_so(api: Api) -> None:
    answer = await _deep(api)
    assert answer.status_code == 503
    assert answer.json()["status"] == answer.json()["ray"]["status"] == "down"
    assert answer.json()["scheduler"]["status"] == "down"
    assert answer.json()["database"]["status"] == "ok"


async def test_without_a_database_it_is_503_and_says_so(
    api: Api, ray_is_well: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(self: Any) -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(type(api.app.state.platform.database), "ping", hang)
    answer = await _deep(api)
    assert answer.status_code == 503
    assert answer.json()["database"] == {"status": "down", "error": "ConnectionError"}
    async with api.client() as anybody:
        assert (await anybody.get("/health")).json()["status"] == "ok"


@pytest.mark.parametrize(("says", "status"), [(b"+PONG\r\n", 200), (b"HTTP/1.1 400\r\n", 503)])
async def test_redis_is_asked_where_rays_control_store_uses_one(
    api: Api, ray_is_well: None, monkeypatch: pytest.MonkeyPatch, says: bytes, status: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(64)
                connection.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("RAY_REDIS_ADDRESS", f"127.0.0.1:{listener.getsockname()[1]}")
        found = await _deep(api)
        thread.join()
    assert found.status_code == status


async def test_a_database_that_hangs_is_down_and_holds_up_no_answer(
    api: Api, ray_is_well: None
) -> None:
    assert (await _deep(api)).status_code == 200
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    async with api.store.session() as session:
        rows = await session.scalars(sqlalchemy.text(others + "pg_backend_pid()"))
        processes = list(rows)
    assert processes
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        # The second asks nothing new, so that no more hangs than one question.
        async with asyncio.timeout(30):
            answers = [await _deep(api) for _ in range(2)]
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["database"] == {"status": "down", "error": "no answer within 2 s"}
        assert answer.json()["ray"]["status"] == "ok"
