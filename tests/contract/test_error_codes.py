"""The reference's section Error Codes: the format, and the codes that concern all resources."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from apis import Api, settings_for

from api.app import build_app
from fusillade.storage import accounts


def _check(answer: httpx.Response, code: str, status: int) -> None:
    body = answer.json()
    assert list(body) == ["error", "code"]
    assert (body["code"], answer.status_code) == (code, status)
    assert body["error"].endswith(".")


async def test_example_error_response_format(owner: httpx.AsyncClient) -> None:
    form = {"name": "Too many", "workers": "1000000", "duration": "1", "script": "let a = 1;"}
    answer = await owner.post("/api/v1/tests", data=form)
    assert answer.json() == {
        "error": "Worker limit exceeded. Your plan allows up to 100000 workers.",
        "code": "worker_limit_exceeded",
    }


async def test_invalid_auth(api: Api) -> None:
    for credential in ("", "eyJ.eyJ.x", "fusi_unknown"):
        async with api.client(credential) as client:
            _check(await client.get("/api/v1/me"), "invalid_auth", 401)


async def test_insufficient_scope(api: Api, owner: httpx.AsyncClient) -> None:
    body = {"name": "k", "scopes": ["test:read"]}
    key = (await owner.post("/api/v1/keys", json=body)).json()["key"]
    async with api.client(key) as program:
        _check(await program.post("/api/v1/keys", json=body), "insufficient_scope", 403)


async def test_forbidden(api: Api) -> None:
    user = await api.user("owner@acme.test")
    await api.colleague(user, "member@acme.test")
    async with await api.log_in("member@acme.test") as member:
        answer = await member.post("/api/v1/team/invite", json={"email": "a@b.test"})
        _check(answer, "forbidden", 403)


async def test_not_found(owner: httpx.AsyncClient) -> None:
    _check(await owner.get(f"/api/v1/tests/{uuid4()}"), "not_found", 404)
    _check(await owner.get("/api/v1/nothing"), "not_found", 404)


async def test_validation_error(owner: httpx.AsyncClient) -> None:
    _check(await owner.post("/api/v1/keys", json={}), "validation_error", 400)
    _check(await owner.post("/api/v1/keys", json={"name": 1}), "validation_error", 400)


async def test_conflict(owner: httpx.AsyncClient) -> None:
    body = {"email": "owner@acme.test"}
    _check(await owner.post("/api/v1/team/invite", json=body), "conflict", 409)


async def test_domain_blocked(database_url: str, tmp_path: Path, api: Api) -> None:
    await api.user("owner@acme.test")
    app = build_app(settings_for(database_url, data_dir=tmp_path, blocked_domains=["globex.test"]))
    async with app.router.lifespan_context(app):
        other = Api(app, api.store, tmp_path)
        async with await other.log_in("owner@acme.test") as client:
            script = "export default function () { http.get('https://shop.globex.test/'); }"
            form = {"name": "Theirs", "workers": "1", "duration": "1", "script": script}
            _check(await client.post("/api/v1/tests", data=form), "domain_blocked", 403)
            assert (await client.get("/api/v1/tests")).json()["total"] == 0


async def test_rate_limited(database_url: str, tmp_path: Path) -> None:
    app = build_app(settings_for(database_url, data_dir=tmp_path, rate_limit_auth_requests=1))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        await client.post("/api/v1/auth/logout")
        _check(await client.post("/api/v1/auth/logout"), "rate_limited", 429)


async def test_internal_error(
    api: Api, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(accounts, "organisation", broken)
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://api.test", headers=owner.headers
    ) as client:
        answer = await client.get("/api/v1/me")
    _check(answer, "internal_error", 500)
    assert "mistake" not in answer.text
