"""Too many requests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from apis import settings_for

from actors.platform import SERVE_WITH_HAPROXY
from api.app import build_app


@asynccontextmanager
async def _replica(
    database_url: str, data_dir: Path, peer: str = "203.0.113.5", **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client at ``peer`` of one API process, with the limits of the reference."""
    limits = {"rate_limit_requests": 100, "rate_limit_auth_requests": 10}
    app = build_app(settings_for(database_url, data_dir=data_dir, **(limits | settings)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(peer, 1234)), base_url="http://api.test"
        ) as client,
    ):
        yield client


async def _until_refused(client: httpx.AsyncClient, path: str, **more: Any) -> int:
    """How many requests were let through."""
    for number in range(200):
        if (await client.get(path, **more)).status_code == 429:
            return number
    return 200


async def test_the_eleventh_login_in_a_minute_is_rate_limited(
    database_url: str, tmp_path: Path
) -> None:
    async with _replica(database_url, tmp_path) as client:
        body = {"email": "a@acme.test", "password": 1}
        for used in range(1, 11):
            answer = await client.post("/api/v1/auth/login", json=body)
            assert answer.status_code == 400
            assert answer.headers["RateLimit-Limit"] == "10"
            assert answer.headers["RateLimit-Remaining"] == str(10 - used)
            assert 50 <= int(answer.headers["RateLimit-Reset"]) <= 60
        answer = await client.post("/api/v1/auth/login", json=body)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
        # The links of invitations can be guessed as well; the rest is another count.
        assert (await client.get("/api/v1/invites/x")).status_code == 429
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_replicas_share_one_count_of_100(database_url: str, tmp_path: Path) -> None:
    async with (
        _replica(database_url, tmp_path) as one,
        _replica(database_url, tmp_path) as other,
    ):
        for client in (one, other):
            for _ in range(50):
                answer = await client.get("/api/v1/me")
                assert answer.status_code == 401
        assert answer.headers["RateLimit-Remaining"] == "0"
        for client in (one, other):
            answer = await client.get("/api/v1/me")
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            assert (await client.get("/health")).status_code == 200
    async with _replica(database_url, tmp_path, peer="203.0.113.6") as somebody_else:
        assert (await somebody_else.get("/api/v1/me")).status_code == 401


async def test_a_client_cannot_invent_its_address(database_url: str, tmp_path: Path) -> None:
    async with _replica(database_url, tmp_path, rate_limit_requests=3) as client:
        answers = [
            await client.get(
                "/api/v1/me",
                headers={"X-Forwarded-For": f"192.0.2.{n}", "X-Fusillade-Peer": f"192.0.2.{n}"},
            )
            for n in range(4)
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_behind_a_trusted_proxy_each_client_has_its_own_count(
    database_url: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"rate_limit_requests": 2, "trusted_proxies": ["10.0.0.0/8"]}
    async with _replica(database_url, tmp_path, peer="10.0.0.1", **settings) as client:
        for number in (1, 2):
            forwarded = {"X-Forwarded-For": f"192.0.2.{number}"}
            assert await _until_refused(client, "/api/v1/me", headers=forwarded) == 2


async def test_behind_serves_haproxy_its_word_counts_and_not_the_clients(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SERVE_WITH_HAPROXY.items():
        monkeypatch.setenv(name, value)
    async with _replica(database_url, tmp_path, peer="127.0.0.1", rate_limit_requests=2) as client:
        for number in (1, 2):
            headers = [
                ("X-Fusillade-Peer", "198.51.100.99"),
                ("X-Fusillade-Peer", f"192.0.2.{number}"),
            ]
            assert await _until_refused(client, "/api/v1/me", headers=headers) == 2


async def test_zero_is_no_limit(database_url: str, tmp_path: Path) -> None:
    async with _replica(
        database_url, tmp_path, rate_limit_requests=0, rate_limit_auth_requests=0
    ) as client:
        assert await _until_refused(client, "/api/v1/me") == 200
        assert "RateLimit-Limit" not in (await client.get("/api/v1/me")).headers


async def test_live_metrics_count_as_requests(database_url: str, tmp_path: Path) -> None:
    app = build_app(settings_for(database_url, data_dir=tmp_path, rate_limit_requests=1))
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws/runs/x",
        "query_string": b"",
        "headers": [],
        "client": ("203.0.113.5", 1234),
        "extensions": {"websocket.http.response": {}},
    }
    async with app.router.lifespan_context(app):
        await app(dict(scope), receive, send)
        assert sent[0]["type"] == "websocket.accept"
        sent.clear()
        await app(dict(scope), receive, send)
        start, body = sent
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
        assert json.loads(body["body"])["code"] == "rate_limited"
        # A server that cannot answer a handshake closes it.
        sent.clear()
        await app(scope | {"extensions": {}}, receive, send)
        assert [(one["type"], one["code"]) for one in sent] == [("websocket.close", 1013)]
