"""Health: of this process alone, and of all parts."""

import socket
import threading
from typing import Any

import httpx
import pytest
from apis import Api

from actors import cluster_health


@pytest.fixture
def ray_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_health, "ask_ray", lambda: {"nodes": 1, "actors": 3})


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
