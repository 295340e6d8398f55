"""API keys."""

from datetime import UTC, datetime, timedelta

import httpx
from apis import Api
from sqlalchemy import func, select, update

from fusillade.storage.models import ApiKey


async def test_a_key_is_shown_once_and_stored_hashed(api: Api, owner: httpx.AsyncClient) -> None:
    key = (await owner.post("/api/v1/keys", json={"name": "CI"})).json()["key"]
    listed = (await owner.get("/api/v1/keys")).json()["keys"]
    assert [(one["name"], one["scopes"]) for one in listed] == [("CI", ["full"])]
    assert key not in str(listed)
    assert key.startswith(listed[0]["prefix"])
    async with api.store.session() as session:
        row = await session.scalar(select(ApiKey))
        assert row is not None
        assert key.encode() not in row.key_hash


async def test_a_key_tells_when_it_was_used_last(api: Api, owner: httpx.AsyncClient) -> None:
    key = (await owner.post("/api/v1/keys", json={"name": "CI"})).json()["key"]
    assert (await owner.get("/api/v1/keys")).json()["keys"][0]["last_used_at"] is None
    async with api.client(key) as program:
        await program.get("/api/v1/me")
    assert (await owner.get("/api/v1/keys")).json()["keys"][0]["last_used_at"] is not None


async def test_a_deleted_key_works_no_longer(api: Api, owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/keys", json={"name": "CI"})).json()
    async with api.client(created["key"]) as program:
        assert (await program.get("/api/v1/me")).status_code == 200
        assert (await owner.delete(f"/api/v1/keys/{created['id']}")).status_code == 204
        answer = await program.get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")
    answer = await owner.delete(f"/api/v1/keys/{created['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_key_ends_when_it_expires(api: Api, owner: httpx.AsyncClient) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    created = (
        await owner.post("/api/v1/keys", json={"name": "k", "expires_at": moment.isoformat()})
    ).json()
    assert created["expires_at"] == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    async with api.client(created["key"]) as program:
        assert (await program.get("/api/v1/me")).status_code == 200
        async with api.store.session() as session:
            await session.execute(update(ApiKey).values(expires_at=func.now()))
        answer = await program.get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")


async def test_a_key_may_live_some_days(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/keys", json={"name": "k", "expires_in_days": 30})).json()
    left = datetime.fromisoformat(created["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


async def test_a_key_takes_no_nonsense(owner: httpx.AsyncClient) -> None:
    wrong: list[dict[str, object]] = [
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "2031-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "soon"},
        {"expires_in_days": 0},
        {"expires_in_days": 30, "expires_at": "2031-01-01T00:00:00Z"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"name": ""},
    ]
    for more in wrong:
        answer = await owner.post("/api/v1/keys", json={"name": "k"} | more)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error"), more
    assert (await owner.get("/api/v1/keys")).json() == {"keys": []}


async def test_only_the_full_scope_manages_keys(api: Api, owner: httpx.AsyncClient) -> None:
    for scope in ("test:create", "test:read", "read"):
        created = (await owner.post("/api/v1/keys", json={"name": "k", "scopes": [scope]})).json()
        async with api.client(created["key"]) as program:
            assert (await program.get("/api/v1/keys")).status_code == 200
            for method, path in (
                ("POST", "/api/v1/keys"),
                ("DELETE", f"/api/v1/keys/{created['id']}"),
            ):
                answer = await program.request(method, path, json={"name": "more"})
                assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_members_manage_their_own_keys_and_admins_those_of_all(api: Api) -> None:
    user = await api.user("owner@acme.test")
    for name in ("admin", "member"):
        await api.colleague(user, f"{name}@acme.test", name)
    async with (
        await api.log_in("admin@acme.test") as admin,
        await api.log_in("member@acme.test") as member,
    ):
        theirs = (await admin.post("/api/v1/keys", json={"name": "admin's"})).json()["id"]
        own = (await member.post("/api/v1/keys", json={"name": "member's"})).json()["id"]
        assert [key["id"] for key in (await member.get("/api/v1/keys")).json()["keys"]] == [own]
        listed = (await admin.get("/api/v1/keys")).json()["keys"]
        assert {key["user"]["email"] for key in listed} == {"admin@acme.test", "member@acme.test"}
        answer = await member.delete(f"/api/v1/keys/{theirs}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await admin.delete(f"/api/v1/keys/{own}")).status_code == 204
