"""The reference's head and its section Authentication: each row, each example."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import PASSWORD, Api
from references import example

from fusillade.settings import Settings

LOGIN = r"""
curl -X POST https://api.fusillade.io/api/v1/auth/login \
  -H "Content-Type: application/json" \
  -d '{"email": "you@example.com", "password": "..."}'
"""
ME = r"""
curl https://api.fusillade.io/api/v1/me \
  -H "Authorization: Bearer eyJ..."
"""
CREATE_KEY = r"""
curl -X POST https://api.fusillade.io/api/v1/keys \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{"name": "CI Agent", "scopes": ["test:create"]}'
"""
TEST = {
    "data": {"name": "A test", "workers": "1", "duration": "1"},
    "files": {"script": ("test.js", b"export default function () {}")},
}
READABLE = ("me", "keys", "team", "tests", "templates", "schedules", "webhooks")


async def _key(owner: httpx.AsyncClient, scope: str) -> str:
    body = {"name": "A key", "scopes": [scope]}
    return str((await owner.post("/api/v1/keys", json=body)).json()["key"])


async def _refused(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> bool:
    answer = await client.request(method, f"/api/v1/{path}", **more)
    return answer.status_code == 403 and answer.json()["code"] == "insufficient_scope"


def test_rate_limits_are_100_in_10_s_and_10_in_60_s_for_authentication() -> None:
    settings = Settings()
    assert (settings.rate_limit_requests, settings.rate_limit_seconds) == (100, 10)
    assert (settings.rate_limit_auth_requests, settings.rate_limit_auth_seconds) == (10, 60)


async def test_content_type_is_json(owner: httpx.AsyncClient) -> None:
    for path in ("/api/v1/me", "/api/v1/nothing", "/health"):
        assert (await owner.get(path)).headers["Content-Type"] == "application/json"


async def test_example_login(api: Api) -> None:
    user = await api.user("you@example.com")
    login = example(LOGIN)
    login.body["password"] = PASSWORD
    async with api.client() as anybody:
        answer = await login.send(anybody)
    assert answer.status_code == 200
    assert list(answer.json()) == ["token", "user"]
    assert answer.json()["token"].startswith("eyJ")
    assert answer.json()["user"]["id"] == str(user.id)


async def test_example_pass_the_token_in_subsequent_requests(owner: httpx.AsyncClient) -> None:
    assert owner.headers["Authorization"].startswith("Bearer eyJ")
    answer = await example(ME).send(owner)
    assert answer.status_code == 200
    assert answer.json()["email"] == "owner@acme.test"


async def test_example_create_api_key(owner: httpx.AsyncClient) -> None:
    answer = await example(CREATE_KEY).send(owner)
    assert answer.status_code == 201
    created = answer.json()
    assert list(created) == ["key", "id", "name", "scopes"]
    assert created["key"].startswith("fusi_")
    assert UUID(created["id"])
    assert (created["name"], created["scopes"]) == ("CI Agent", ["test:create"])


async def test_scope_full_is_unrestricted_and_the_default(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    created = (await owner.post("/api/v1/keys", json={"name": "A key"})).json()
    assert created["scopes"] == ["full"]
    async with api.client(created["key"]) as program:
        test = (await program.post("/api/v1/tests", **TEST)).json()["test_id"]
        await program.post(f"/api/v1/tests/{test}/stop")
        assert (await program.delete(f"/api/v1/tests/{test}")).is_success
        assert (await program.post("/api/v1/keys", json={"name": "more"})).status_code == 201


async def test_scope_test_create_creates_and_stops_tests_and_reads_results(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    async with api.client(await _key(owner, "test:create")) as program:
        created = await program.post("/api/v1/tests", **TEST)
        assert created.status_code == 201
        path = f"tests/{created.json()['test_id']}"
        assert (await program.get(f"/api/v1/{path}")).status_code == 200
        assert (await program.post(f"/api/v1/{path}/start")).json()["code"] == "invalid_state"
        assert (await program.post(f"/api/v1/{path}/stop")).status_code == 200
        assert await _refused(program, "DELETE", path)
        assert await _refused(program, "POST", "keys", json={"name": "more"})


async def test_scope_test_read_only_reads_tests(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    path = f"tests/{(await owner.post('/api/v1/tests', **TEST)).json()['test_id']}"
    async with api.client(await _key(owner, "test:read")) as program:
        assert (await program.get("/api/v1/tests")).status_code == 200
        assert (await program.get(f"/api/v1/{path}")).status_code == 200
        assert await _refused(program, "POST", "tests", **TEST)
        for action in ("start", "stop"):
            assert await _refused(program, "POST", f"{path}/{action}")


async def test_scope_read_only_reads_everything(api: Api, owner: httpx.AsyncClient) -> None:
    async with api.client(await _key(owner, "read")) as program:
        for path in (*READABLE, "team/invites"):
            assert (await program.get(f"/api/v1/{path}")).status_code == 200, path
        assert await _refused(program, "POST", "tests", **TEST)
        assert await _refused(program, "PATCH", "me", json={"name": "x"})
        assert await _refused(program, "POST", "team/invite", json={"email": "a@b.test"})


@pytest.mark.parametrize("scope", ["full", "test:create", "test:read", "read"])
async def test_scopes_are_hierarchical(api: Api, owner: httpx.AsyncClient, scope: str) -> None:
    order = ["full", "test:create", "test:read", "read"]
    needs = {
        "full": ("POST", "keys"),
        "test:create": ("POST", "tests"),
        "test:read": ("GET", "tests"),
        "read": ("GET", "me"),
    }
    async with api.client(await _key(owner, scope)) as program:
        for needed, (method, path) in needs.items():
            # `read` opens all that only reads, tests as well.
            covered = order.index(scope) <= order.index(needed) or method == "GET"
            assert await _refused(program, method, path, json={"name": "x"}) is not covered
