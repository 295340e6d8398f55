"""The reference's rows on quota and regions, and the error codes of a plan's limits."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
from apis import Api
from sqlalchemy import update
from stored import stored_test

from fusillade.storage.models import Organisation, User

SCRIPT = "export default function () { http.get('https://api.example.com/health'); }"
FORM = {"name": "A test", "workers": "1", "duration": "60", "script": SCRIPT}


async def _refused(client: httpx.AsyncClient, code: str, **fields: str) -> None:
    answer = await client.post("/api/v1/tests", data=FORM | fields)
    assert (answer.status_code, answer.json()["code"]) == (403, code)


async def _free(api: Api) -> User:
    user = await api.user("owner@free.test")
    async with api.store.session() as session:
        await session.execute(update(Organisation).values(plan="free"))
    return user


async def test_get_quota_current_quota_usage(owner: httpx.AsyncClient) -> None:
    shown = (await owner.get("/api/v1/quota")).json()
    now = datetime.now(UTC)
    assert shown["period_start"] == f"{now:%Y-%m}-01T00:00:00.000Z"
    assert datetime.fromisoformat(shown["period_end"]) > now
    assert (
        shown
        | {
            "plan": "self-hosted",
            "minutes_used": 0,
            "minutes_reserved": 0,
            "minutes_limit": None,
            "minutes_remaining": None,
            "workers_limit": 100_000,
            "duration_seconds_limit": 86_400,
            "templates_used": 0,
            "templates_limit": 100,
            "schedules_used": 0,
            "schedules_limit": 100,
        }
        == shown
    )


async def test_scopes_that_read_quota(api: Api, owner: httpx.AsyncClient) -> None:
    for scope in ("full", "test:create", "test:read", "read"):
        key = (await owner.post("/api/v1/keys", json={"name": "k", "scopes": [scope]})).json()
        async with api.client(key["key"]) as program:
            assert (await program.get("/api/v1/quota")).status_code == 200


async def test_get_regions_available_regions_for_your_tier(
    api: Api, owner: httpx.AsyncClient
) -> None:
    shown = (await owner.get("/api/v1/regions")).json()["regions"]
    assert [region["code"] for region in shown] == ["eu-hel1", "us-east-1", "ap-sin1"]
    helsinki = {"code": "eu-hel1", "name": "Helsinki", "continent": "Europe", "default": True}
    # Nobody answers what there is at the moment.
    helsinki |= dict.fromkeys(("nodes", "nodes_starting", "cpus", "cpus_free"))
    assert shown[0] == helsinki
    await _free(api)
    assert (await owner.get("/api/v1/regions")).json() == {"regions": [helsinki]}


async def test_quota_exceeded(api: Api, poked: list[UUID]) -> None:
    user = await _free(api)
    ready = {"status": "ready", "started_at": None, "finished_at": None}
    test = await stored_test(api.store, user, duration_seconds=6001, **ready)
    async with await api.log_in("owner@free.test") as client:
        answer = await client.post(f"/api/v1/tests/{test.id}/start")
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert poked == []


async def test_worker_limit_exceeded(owner: httpx.AsyncClient) -> None:
    await _refused(owner, "worker_limit_exceeded", workers="100001")


async def test_duration_limit_exceeded(owner: httpx.AsyncClient) -> None:
    await _refused(owner, "duration_limit_exceeded", duration="86401")


async def test_region_restricted(owner: httpx.AsyncClient) -> None:
    await _refused(owner, "region_restricted", region="moon-1")


async def test_script_too_large(owner: httpx.AsyncClient) -> None:
    script = SCRIPT + "//" + "x" * (1 << 20)
    form = {name: value for name, value in FORM.items() if name != "script"}
    files = {"script": ("test.js", script.encode())}
    answer = await owner.post("/api/v1/tests", data=form, files=files)
    assert (answer.status_code, answer.json()["code"]) == (400, "script_too_large")
