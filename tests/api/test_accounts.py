"""Logins, passwords, profiles."""

import asyncio
import json

import httpx
import jwt
from apis import PASSWORD, Api
from sqlalchemy import func, select, update

from fusillade.storage.models import RevokedToken


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_token_stops_working_at_logout_and_others_go_on(api: Api) -> None:
    await api.user("a@acme.test")
    async with await api.log_in("a@acme.test") as one, await api.log_in("a@acme.test") as other:
        assert (await one.post("/api/v1/auth/logout")).status_code == 204
        assert _code(await one.get("/api/v1/me")) == (401, "invalid_auth")
        assert _code(await one.post("/api/v1/auth/logout")) == (401, "invalid_auth")
        assert (await other.get("/api/v1/me")).status_code == 200


async def test_revoked_tokens_are_forgotten_once_they_have_expired(api: Api) -> None:
    await api.user("a@acme.test")
    for _ in range(2):
        async with await api.log_in("a@acme.test") as client:
            assert (await client.post("/api/v1/auth/logout")).status_code == 204
        async with api.store.session() as session:
            assert await session.scalar(select(func.count()).select_from(RevokedToken)) == 1
            past = func.now() - func.make_interval(0, 0, 0, 1)
            await session.execute(update(RevokedToken).values(expires_at=past))


async def test_an_api_key_cannot_log_out(api: Api, owner: httpx.AsyncClient) -> None:
    key = (await owner.post("/api/v1/keys", json={"name": "k"})).json()["key"]
    async with api.client(key) as program:
        assert _code(await program.post("/api/v1/auth/logout")) == (403, "forbidden")


async def test_another_password_ends_all_tokens_but_the_new_one(api: Api) -> None:
    await api.user("a@acme.test")
    async with await api.log_in("a@acme.test") as one, await api.log_in("a@acme.test") as other:
        key = (await one.post("/api/v1/keys", json={"name": "k"})).json()["key"]
        body = {"current_password": PASSWORD, "new_password": "another password"}
        answer = await one.post("/api/v1/auth/change-password", json=body)
        assert answer.status_code == 200
        assert set(answer.json()) == {"token", "user"}
        for client in (one, other):
            assert _code(await client.get("/api/v1/me")) == (401, "invalid_auth")
        for credential in (answer.json()["token"], key):
            async with api.client(credential) as client:
                assert (await client.get("/api/v1/me")).status_code == 200
    async with api.client() as anybody:
        body = {"email": "a@acme.test", "password": PASSWORD}
        assert _code(await anybody.post("/api/v1/auth/login", json=body)) == (
            401,
            "invalid_auth",
        )
    async with await api.log_in("a@acme.test", "another password") as client:
        assert (await client.get("/api/v1/me")).status_code == 200


async def test_a_password_is_changed_only_by_who_knows_it(owner: httpx.AsyncClient) -> None:
    body = {"current_password": "a guess", "new_password": "another password"}
    answer = await owner.post("/api/v1/auth/change-password", json=body)
    assert _code(answer) == (401, "invalid_auth")
    assert (await owner.get("/api/v1/me")).status_code == 200


async def test_a_password_that_is_too_short_or_too_long_is_refused(
    owner: httpx.AsyncClient,
) -> None:
    for password, words in (
        ("short", "at least 8 characters"),
        ("", "at least 8 characters"),
        ("é" * 37, "at most 72 bytes"),
    ):
        body = {"old_password": PASSWORD, "new_password": password}
        answer = await owner.post("/api/v1/auth/change-password", json=body)
        assert _code(answer) == (400, "validation_error")
        assert words in answer.json()["error"]


async def test_of_two_password_changes_at_once_one_is_done(owner: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(
            owner.post(
                "/api/v1/auth/change-password",
                json={"current_password": PASSWORD, "new_password": f"new password {number}"},
            )
            for number in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_a_token_with_another_signature_is_invalid_auth(api: Api) -> None:
    await api.user("a@acme.test")
    async with await api.log_in("a@acme.test") as client:
        token = client.headers["Authorization"].removeprefix("Bearer ")
    content = jwt.decode(token, options={"verify_signature": False})
    for forged in (
        jwt.encode(content, "x" * 32, algorithm="HS256"),
        jwt.encode(content, None, algorithm="none"),
    ):
        async with api.client(forged) as client:
            assert _code(await client.get("/api/v1/me")) == (401, "invalid_auth")


async def test_name_and_email_can_be_changed_and_one_logs_in_with_the_new_email(
    api: Api, owner: httpx.AsyncClient
) -> None:
    answer = await owner.patch("/api/v1/me", json={"name": " Ada ", "email": "ADA@acme.test"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["email"]) == ("Ada", "ada@acme.test")
    assert (await owner.get("/api/v1/me")).json() == answer.json()
    async with await api.log_in("ada@acme.test") as again:
        assert (await again.patch("/api/v1/me", json={})).json() == answer.json()


async def test_an_email_that_somebody_has_is_a_conflict(api: Api, owner: httpx.AsyncClient) -> None:
    await api.user("other@globex.test", "Globex")
    answer = await owner.patch("/api/v1/me", json={"email": "other@globex.test"})
    assert _code(answer) == (409, "conflict")
    assert (await owner.get("/api/v1/me")).json()["email"] == "owner@acme.test"


async def test_a_profile_takes_no_nonsense(owner: httpx.AsyncClient) -> None:
    before = (await owner.get("/api/v1/me")).json()
    wrong: list[dict[str, object]] = [
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"name": 1},
        {"email": "nobody"},
        {"email": "a@b\r\nBcc: c@d"},
        {"email": "a b@c"},
        {"email": "=?utf-8?q?b?=@acme.test"},
        {"email": "\ud800@acme.test"},
        {"email": f"{'x' * 250}@acme.test"},
    ]
    for change in wrong:
        # As escapes: half a character cannot be sent otherwise.
        answer = await owner.patch("/api/v1/me", content=json.dumps(change))
        assert _code(answer) == (400, "validation_error"), change
    assert (await owner.get("/api/v1/me")).json() == before


async def test_a_key_that_only_reads_changes_no_profile(api: Api, owner: httpx.AsyncClient) -> None:
    key = (await owner.post("/api/v1/keys", json={"name": "k", "scopes": ["read"]})).json()["key"]
    async with api.client(key) as program:
        assert (await program.get("/api/v1/me")).status_code == 200
        answer = await program.patch("/api/v1/me", json={"name": "x"})
        assert _code(answer) == (403, "insufficient_scope")
