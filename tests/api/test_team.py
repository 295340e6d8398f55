"""The team: who belongs to it, who is invited, who may do what."""

import asyncio
import logging
from email.header import decode_header, make_header

import httpx
import pytest
from apis import PASSWORD, Api
from sqlalchemy import func, select, update

from fusillade.storage.models import Invitation


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_invited_person_makes_an_account_and_is_logged_in(
    api: Api, owner: httpx.AsyncClient
) -> None:
    invited = await owner.post(
        "/api/v1/team/invite", json={"email": "Ann@acme.test", "role": "admin"}
    )
    assert invited.status_code == 201
    token = api.invitation_token("ann@acme.test")
    async with api.client() as anybody:
        shown = (await anybody.get(f"/api/v1/invites/{token}")).json()
        assert shown == {
            "email": "ann@acme.test",
            "role": "admin",
            "organization": "Acme",
            "invited_by": "owner",
            "expires_at": invited.json()["expires_at"],
        }
        body = {"name": "Ann", "password": PASSWORD}
        accepted = await anybody.post(f"/api/v1/invites/{token}/accept", json=body)
        assert accepted.status_code == 201
        assert set(accepted.json()) == {"token", "user"}
        for again in (
            await anybody.get(f"/api/v1/invites/{token}"),
            await anybody.post(f"/api/v1/invites/{token}/accept", json=body),
        ):
            assert _code(again) == (404, "not_found")
    async with api.client(accepted.json()["token"]) as ann:
        assert (await ann.get("/api/v1/me")).json() == accepted.json()["user"]
    members = (await owner.get("/api/v1/team")).json()["members"]
    assert [(one["email"], one["role"]) for one in members] == [
        ("owner@acme.test", "owner"),
        ("ann@acme.test", "admin"),
    ]
    assert (await owner.get("/api/v1/team/invites")).json() == {"invites": []}


async def test_the_token_is_in_the_mail_and_the_log_only(
    api: Api, owner: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "fusillade.mail"):
        answer = await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    token = api.invitation_token("ann@acme.test")
    assert f"/invites/{token}" in caplog.text
    assert token not in answer.text
    assert token not in (await owner.get("/api/v1/team/invites")).text
    async with api.store.session() as session:
        stored = await session.scalar(select(Invitation.token_hash))
    assert stored is not None
    assert token.encode() not in stored
    (mail,) = api.mails()
    assert str(make_header(decode_header(mail["Subject"]))) == "Join Acme on Fusillade"
    (file,) = api.data_dir.glob("mail/*.eml")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_resending_replaces_the_link_and_the_time(api: Api, owner: httpx.AsyncClient) -> None:
    invited = (await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})).json()
    first = api.invitation_token("ann@acme.test")
    async with api.store.session() as session:
        await session.execute(update(Invitation).values(expires_at=func.now()))
    async with api.client() as anybody:
        assert _code(await anybody.get(f"/api/v1/invites/{first}")) == (404, "not_found")
        resent = await owner.post(f"/api/v1/team/invites/{invited['id']}/resend")
        assert resent.status_code == 200
        assert resent.json()["id"] == invited["id"]
        assert resent.json()["expires_at"] > invited["expires_at"]
        second = api.invitation_token("ann@acme.test")
        assert _code(await anybody.get(f"/api/v1/invites/{first}")) == (404, "not_found")
        assert (await anybody.get(f"/api/v1/invites/{second}")).status_code == 200


async def test_an_expired_invitation_cannot_be_accepted_and_gives_way_to_a_new_one(
    api: Api, owner: httpx.AsyncClient
) -> None:
    await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    token = api.invitation_token("ann@acme.test")
    async with api.store.session() as session:
        await session.execute(update(Invitation).values(expires_at=func.now()))
    async with api.client() as anybody:
        body = {"name": "Ann", "password": PASSWORD}
        answer = await anybody.post(f"/api/v1/invites/{token}/accept", json=body)
        assert _code(answer) == (404, "not_found")
        assert "expired" in answer.json()["error"]
    again = await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    assert again.status_code == 201


async def test_a_cancelled_invitation_is_gone(api: Api, owner: httpx.AsyncClient) -> None:
    invited = (await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})).json()
    token = api.invitation_token("ann@acme.test")
    assert (await owner.delete(f"/api/v1/team/invites/{invited['id']}")).status_code == 204
    async with api.client() as anybody:
        assert _code(await anybody.get(f"/api/v1/invites/{token}")) == (404, "not_found")
    answer = await owner.post(f"/api/v1/team/invites/{invited['id']}/resend")
    assert _code(answer) == (404, "not_found")


async def test_who_is_invited_or_has_an_account_is_a_conflict(
    api: Api, owner: httpx.AsyncClient
) -> None:
    await api.user("other@globex.test", "Globex")
    await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    for email in ("ann@acme.test", "OWNER@acme.test", "other@globex.test"):
        answer = await owner.post("/api/v1/team/invite", json={"email": email})
        assert _code(answer) == (409, "conflict")
    assert len(api.mails()) == 1


async def test_of_two_invitations_at_once_one_is_a_conflict(
    api: Api, owner: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(
        *(owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"}) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_who_joined_elsewhere_meanwhile_is_a_conflict(
    api: Api, owner: httpx.AsyncClient
) -> None:
    await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    token = api.invitation_token("ann@acme.test")
    await api.user("ann@acme.test", "Globex")
    async with api.client() as anybody:
        body = {"name": "Ann", "password": PASSWORD}
        answer = await anybody.post(f"/api/v1/invites/{token}/accept", json=body)
    assert _code(answer) == (409, "conflict")


async def test_an_invitation_survives_an_acceptance_that_is_refused(
    api: Api, owner: httpx.AsyncClient
) -> None:
    await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    path = f"/api/v1/invites/{api.invitation_token('ann@acme.test')}"
    wrong = [
        {"name": "Ann", "password": "short"},
        {"name": "Ann", "password": "x" * 73},
        {"name": "", "password": PASSWORD},
        {"password": PASSWORD},
    ]
    async with api.client() as anybody:
        for body in wrong:
            answer = await anybody.post(f"{path}/accept", json=body)
            assert _code(answer) == (400, "validation_error"), body
        assert (await anybody.get(path)).status_code == 200


async def test_members_see_the_team_and_manage_nothing(api: Api) -> None:
    user = await api.user("owner@acme.test")
    other = await api.colleague(user, "other@acme.test")
    await api.colleague(user, "member@acme.test")
    async with await api.log_in("owner@acme.test") as owner:
        body = {"email": "ann@acme.test"}
        invited = (await owner.post("/api/v1/team/invite", json=body)).json()["id"]
    async with await api.log_in("member@acme.test") as member:
        assert len((await member.get("/api/v1/team")).json()["members"]) == 3
        for method, path in (
            ("POST", "/api/v1/team/invite"),
            ("GET", "/api/v1/team/invites"),
            ("DELETE", f"/api/v1/team/invites/{invited}"),
            ("POST", f"/api/v1/team/invites/{invited}/resend"),
            ("DELETE", f"/api/v1/team/{other.id}"),
        ):
            answer = await member.request(method, path, json={"email": "x@acme.test"})
            assert _code(answer) == (403, "forbidden"), path


async def test_admins_manage_the_team_but_no_owners(api: Api) -> None:
    user = await api.user("owner@acme.test")
    await api.colleague(user, "admin@acme.test", "admin")
    member = await api.colleague(user, "member@acme.test")
    async with await api.log_in("admin@acme.test") as admin:
        body = {"email": "ann@acme.test", "role": "owner"}
        assert _code(await admin.post("/api/v1/team/invite", json=body)) == (403, "forbidden")
        assert _code(await admin.delete(f"/api/v1/team/{user.id}")) == (403, "forbidden")
        assert (await admin.delete(f"/api/v1/team/{member.id}")).status_code == 204


async def test_a_removed_member_is_locked_out_with_all_keys(
    api: Api, owner: httpx.AsyncClient
) -> None:
    me = (await owner.get("/api/v1/me")).json()
    await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    token = api.invitation_token("ann@acme.test")
    async with api.client() as anybody:
        body = {"name": "Ann", "password": PASSWORD}
        ann = (await anybody.post(f"/api/v1/invites/{token}/accept", json=body)).json()
    async with api.client(ann["token"]) as client:
        key = (await client.post("/api/v1/keys", json={"name": "k"})).json()["key"]
        assert (await owner.delete(f"/api/v1/team/{ann['user']['id']}")).status_code == 204
        assert _code(await client.get("/api/v1/me")) == (401, "invalid_auth")
    async with api.client(key) as program:
        assert _code(await program.get("/api/v1/me")) == (401, "invalid_auth")
    members = (await owner.get("/api/v1/team")).json()["members"]
    assert [member["id"] for member in members] == [me["id"]]
    again = await owner.post("/api/v1/team/invite", json={"email": "ann@acme.test"})
    assert again.status_code == 201


async def test_the_last_owner_stays_also_when_two_remove_each_other(api: Api) -> None:
    one = await api.user("one@acme.test")
    two = await api.colleague(one, "two@acme.test", "owner")
    async with (
        await api.log_in("one@acme.test") as first,
        await api.log_in("two@acme.test") as second,
    ):
        answers = await asyncio.gather(
            first.delete(f"/api/v1/team/{two.id}"), second.delete(f"/api/v1/team/{one.id}")
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 204
        left = [client for client in (first, second) if (await client.get("/api/v1/me")).is_success]
        assert len(left) == 1
        me = (await left[0].get("/api/v1/me")).json()["id"]
        assert _code(await left[0].delete(f"/api/v1/team/{me}")) == (403, "forbidden")
