"""The reference's table Other Endpoints: the rows on accounts, API keys and the team."""

from typing import Any

import httpx
from apis import PASSWORD, Api

NEW_PASSWORD = "another password"


async def _invite(owner: httpx.AsyncClient) -> Any:
    body = {"email": "ann@acme.test", "role": "member"}
    answer = await owner.post("/api/v1/team/invite", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_get_me_is_the_current_user_profile(owner: httpx.AsyncClient) -> None:
    me = (await owner.get("/api/v1/me")).json()
    assert list(me) == ["id", "email", "name", "role", "organization", "created_at"]
    assert (me["email"], me["role"]) == ("owner@acme.test", "owner")
    assert me["organization"]["name"] == "Acme"


async def test_patch_me_updates_the_profile(owner: httpx.AsyncClient) -> None:
    answer = await owner.patch("/api/v1/me", json={"name": "Ada"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Ada")
    assert (await owner.get("/api/v1/me")).json() == answer.json()


async def test_post_auth_change_password_changes_the_password(
    api: Api, owner: httpx.AsyncClient
) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = await owner.post("/api/v1/auth/change-password", json=body)
    assert answer.status_code == 200
    assert (await owner.get("/api/v1/me")).json()["code"] == "invalid_auth"
    async with await api.log_in("owner@acme.test", NEW_PASSWORD) as again:
        assert (await again.get("/api/v1/me")).json() == answer.json()["user"]


async def test_post_auth_logout_ends_the_token(owner: httpx.AsyncClient) -> None:
    assert (await owner.post("/api/v1/auth/logout")).status_code == 204
    answer = await owner.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")


async def test_get_keys_lists_api_keys(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/keys", json={"name": "CI Agent"})).json()
    (listed,) = (await owner.get("/api/v1/keys")).json()["keys"]
    assert {name: listed[name] for name in ("id", "name", "scopes")} == {
        name: created[name] for name in ("id", "name", "scopes")
    }
    assert "key" not in listed


async def test_post_keys_creates_an_api_key(api: Api, owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/api/v1/keys", json={"name": "CI Agent"})
    assert answer.status_code == 201
    async with api.client(answer.json()["key"]) as program:
        assert (await program.get("/api/v1/me")).json() == (await owner.get("/api/v1/me")).json()


async def test_delete_keys_id_deletes_an_api_key(api: Api, owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/keys", json={"name": "CI Agent"})).json()
    assert (await owner.delete(f"/api/v1/keys/{created['id']}")).status_code == 204
    async with api.client(created["key"]) as program:
        assert (await program.get("/api/v1/me")).status_code == 401


async def test_get_team_lists_team_members(owner: httpx.AsyncClient) -> None:
    me = (await owner.get("/api/v1/me")).json()
    (member,) = (await owner.get("/api/v1/team")).json()["members"]
    assert member == {name: me[name] for name in ("id", "email", "name", "role", "created_at")}


async def test_post_team_invite_invites_a_team_member(api: Api, owner: httpx.AsyncClient) -> None:
    invited = await _invite(owner)
    assert list(invited) == ["id", "email", "role", "created_at", "expires_at"]
    assert (invited["email"], invited["role"]) == ("ann@acme.test", "member")
    assert [mail["To"] for mail in api.mails()] == ["ann@acme.test"]


async def test_get_team_invites_lists_pending_invitations(owner: httpx.AsyncClient) -> None:
    invited = await _invite(owner)
    assert (await owner.get("/api/v1/team/invites")).json() == {"invites": [invited]}


async def test_delete_team_invites_id_cancels_an_invitation(
    api: Api, owner: httpx.AsyncClient
) -> None:
    path = f"/api/v1/team/invites/{(await _invite(owner))['id']}"
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get("/api/v1/team/invites")).json() == {"invites": []}
    async with api.client() as anybody:
        link = f"/api/v1/invites/{api.invitation_token('ann@acme.test')}"
        assert (await anybody.get(link)).status_code == 404


async def test_post_team_invites_id_resend_resends_the_invitation_email(
    api: Api, owner: httpx.AsyncClient
) -> None:
    invited = await _invite(owner)
    answer = await owner.post(f"/api/v1/team/invites/{invited['id']}/resend")
    assert answer.status_code == 200
    assert answer.json() == invited | {"expires_at": answer.json()["expires_at"]}
    assert [mail["To"] for mail in api.mails()] == ["ann@acme.test"] * 2


async def test_delete_team_user_id_removes_a_team_member(
    api: Api, owner: httpx.AsyncClient
) -> None:
    ann = await _accept(api, owner)
    assert (await owner.delete(f"/api/v1/team/{ann['user']['id']}")).status_code == 204
    assert len((await owner.get("/api/v1/team")).json()["members"]) == 1
    async with api.client(ann["token"]) as client:
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_get_invites_token_shows_the_invitation(api: Api, owner: httpx.AsyncClient) -> None:
    invited = await _invite(owner)
    async with api.client() as anybody:
        link = f"/api/v1/invites/{api.invitation_token('ann@acme.test')}"
        shown = (await anybody.get(link)).json()
    assert shown["organization"] == "Acme"
    assert {name: shown[name] for name in ("email", "role", "expires_at")} == {
        name: invited[name] for name in ("email", "role", "expires_at")
    }


async def test_post_invites_token_accept_makes_the_account(
    api: Api, owner: httpx.AsyncClient
) -> None:
    ann = await _accept(api, owner)
    assert (ann["user"]["name"], ann["user"]["role"]) == ("Ann", "member")
    async with await api.log_in("ann@acme.test") as client:
        assert (await client.get("/api/v1/me")).json() == ann["user"]


async def _accept(api: Api, owner: httpx.AsyncClient) -> Any:
    """What the answer to an accepted invitation says."""
    await _invite(owner)
    async with api.client() as anybody:
        link = f"/api/v1/invites/{api.invitation_token('ann@acme.test')}"
        body = {"name": "Ann", "password": PASSWORD}
        answer = await anybody.post(f"{link}/accept", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()
