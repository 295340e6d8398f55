"""Creations under an Idempotency-Key: of those that are repeated one creates something."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api, settings_for
from sqlalchemy import update

from api.app import build_app
from api.platform import Platform
from fusillade.storage import tests
from fusillade.storage.database import Database
from fusillade.storage.models import IdempotencyKey

SCRIPT = "export default function () { http.get('https://api.example.com/health'); }"
FORM = {"name": "A test", "workers": "1", "duration": "60", "script": SCRIPT}
TEMPLATE = {"name": "T", "script_content": SCRIPT, "workers": 1, "duration_seconds": 60}
WEBHOOK = {"url": "https://your-server.com/webhook", "events": ["test.completed"]}
CREATIONS: list[tuple[str, dict[str, Any]]] = [
    ("tests", {"data": FORM}),
    ("templates", {"json": TEMPLATE}),
    ("webhooks", {"json": WEBHOOK}),
]
KEY = {"Idempotency-Key": "my-unique-key-123"}

pytestmark = pytest.mark.usefixtures("poked")


async def total(client: httpx.AsyncClient, kind: str) -> int:
    return int((await client.get(f"/api/v1/{kind}")).json()["total"])


async def grow_older(store: Database, hours: float) -> None:
    """Have all keys been used so much earlier."""
    async with store.session() as session:
        await session.execute(
            update(IdempotencyKey).values(
                created_at=IdempotencyKey.created_at - timedelta(hours=hours)
            )
        )


@pytest.mark.parametrize(("kind", "content"), CREATIONS)
async def test_the_same_key_gets_the_first_answer_for_a_day(
    api: Api, owner: httpx.AsyncClient, kind: str, content: Any
) -> None:
    path = f"/api/v1/{kind}"
    first = await owner.post(path, headers=KEY, **content)
    assert first.status_code == 201
    again = await owner.post(path, headers=KEY, **content)
    assert (again.status_code, again.json()) == (201, first.json())
    await grow_older(api.store, 23.9)
    assert (await owner.post(path, headers=KEY, **content)).json() == first.json()
    assert await total(owner, kind) == 1
    await grow_older(api.store, 0.2)
    after = await owner.post(path, headers=KEY, **content)
    assert after.status_code == 201
    assert after.json() != first.json()
    assert await total(owner, kind) == 2
    assert (await owner.post(path, **content)).status_code == 201
    assert (await owner.post(path, **content)).status_code == 201
    assert await total(owner, kind) == 4


@pytest.mark.parametrize(("kind", "content"), CREATIONS)
async def test_requests_that_race_create_one_resource(
    owner: httpx.AsyncClient, kind: str, content: Any
) -> None:
    sent = [owner.post(f"/api/v1/{kind}", headers=KEY, **content) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await total(owner, kind) == 1


async def test_requests_that_race_for_the_last_template_of_a_plan_both_succeed(
    database_url: str, store: Database, tmp_path: Path
) -> None:
    app = build_app(settings_for(database_url, data_dir=tmp_path, max_templates=1))
    async with app.router.lifespan_context(app):
        api = Api(app, store, tmp_path)
        await api.user("owner@acme.test")
        async with await api.log_in("owner@acme.test") as client:
            sent = [client.post("/api/v1/templates", headers=KEY, json=TEMPLATE) for _ in "abc"]
            assert {answer.status_code for answer in await asyncio.gather(*sent)} == {201}


async def test_keys_belong_to_an_organisation(api: Api, owner: httpx.AsyncClient) -> None:
    await api.user("owner@other.test", "Other")
    first = await owner.post("/api/v1/tests", headers=KEY, data=FORM)
    async with await api.log_in("owner@other.test") as other:
        theirs = await other.post("/api/v1/tests", headers=KEY, data=FORM)
    assert theirs.status_code == 201
    assert theirs.json()["test_id"] != first.json()["test_id"]


@pytest.mark.parametrize(("kind", "content"), CREATIONS)
async def test_a_failed_creation_does_not_use_its_key(
    owner: httpx.AsyncClient, kind: str, content: Any
) -> None:
    ((how, fields),) = content.items()
    wrong: dict[str, Any] = {how: {**fields, "workers": 0, "url": "http://insecure.example"}}
    refused = await owner.post(f"/api/v1/{kind}", headers=KEY, **wrong)
    assert refused.status_code == 400
    assert (await owner.post(f"/api/v1/{kind}", headers=KEY, **content)).status_code == 201


async def test_a_key_cannot_be_used_at_another_endpoint(owner: httpx.AsyncClient) -> None:
    await owner.post("/api/v1/tests", headers=KEY, data=FORM)
    for kind, content in CREATIONS[1:]:
        answer = await owner.post(f"/api/v1/{kind}", headers=KEY, **content)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_error")
        assert "POST /api/v1/tests" in answer.json()["error"]
        assert await total(owner, kind) == 0


@pytest.mark.parametrize("key", [b"", b"   ", b"x" * 257, b"a\tb", b"a\x7fb", b"\xc2\x85"])
@pytest.mark.parametrize(("kind", "content"), CREATIONS)
async def test_a_key_that_is_none_is_refused(
    owner: httpx.AsyncClient, kind: str, content: Any, key: bytes
) -> None:
    headers = [(b"Idempotency-Key", key)]
    answer = await owner.post(f"/api/v1/{kind}", headers=headers, **content)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_error")
    assert await total(owner, kind) == 0


@pytest.mark.parametrize("key", ["x" * 256, "ключ №1", "a key with spaces"])
async def test_any_text_is_a_key(owner: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    answers = [await owner.post("/api/v1/tests", headers=headers, data=FORM) for _ in "ab"]
    assert answers[0].status_code == 201
    assert answers[0].json() == answers[1].json()


async def test_two_keys_in_one_request_are_refused(owner: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await owner.post("/api/v1/tests", headers=headers, data=FORM)
    assert answer.json()["code"] == "idempotency_error"


# ---- while the first request waits -----------------------------------------------------------


@pytest.fixture
async def patient(database_url: str, store: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """An API that waits for tests no longer than a second."""
    settings = settings_for(database_url, data_dir=tmp_path, wait_ready_seconds=1)
    app = build_app(settings)
    async with app.router.lifespan_context(app):
        yield Api(app, store, tmp_path)


async def created(client: httpx.AsyncClient) -> UUID:
    """The id of the organisation's test, as soon as there is one."""
    for _ in range(500):
        if found := (await client.get("/api/v1/tests")).json()["tests"]:
            return UUID(found[0]["id"])
        await asyncio.sleep(0.02)
    raise AssertionError("no test was created")


async def test_who_repeats_a_waiting_request_waits_for_the_same_test(
    api: Api, owner: httpx.AsyncClient
) -> None:
    path = "/api/v1/tests?wait=true"
    waiting = [asyncio.create_task(owner.post(path, headers=KEY, data=FORM)) for _ in range(2)]
    test_id = await created(owner)
    waiting.append(asyncio.create_task(owner.post(path, headers=KEY, data=FORM)))
    async with api.store.session() as session:
        await tests.transition(session, test_id, "ready")
    expected = {"test_id": str(test_id), "status": "ready"}
    assert [answer.json() for answer in await asyncio.gather(*waiting)] == [expected] * 3
    async with api.store.session() as session:
        await tests.transition(session, test_id, "cancelled")
    late = await owner.post(path, headers=KEY, data=FORM)
    assert (late.status_code, late.json()) == (201, expected)
    assert await total(owner, "tests") == 1


async def test_a_platform_that_died_before_its_answer_goes_on_after_its_restart(
    api: Api, owner: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(self: Platform, test_id: UUID) -> None:
        raise ConnectionAbortedError("the end of the process")

    with monkeypatch.context() as dying:
        dying.setattr(Platform, "poke", dies)
        with pytest.raises(ConnectionAbortedError):
            await owner.post("/api/v1/tests", headers=KEY, data=FORM)
    (kept,) = (await owner.get("/api/v1/tests")).json()["tests"]
    told: list[UUID] = []

    async def poke(self: Platform, test_id: UUID) -> None:
        told.append(test_id)

    monkeypatch.setattr(Platform, "poke", poke)
    settings = api.app.state.platform.settings
    app = build_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://api.test", headers=owner.headers
        ) as client,
    ):
        answer = await client.post("/api/v1/tests", headers=KEY, data=FORM)
        assert await total(client, "tests") == 1
    assert answer.json() == {"test_id": kept["id"], "status": "provisioning"}
    assert told == [UUID(kept["id"])]


async def test_the_time_to_wait_counts_from_the_first_request(patient: Api) -> None:
    await patient.user("owner@acme.test")
    async with await patient.log_in("owner@acme.test") as client:
        path = "/api/v1/tests?wait=true"
        first = await client.post(path, headers=KEY, data=FORM)
        assert first.json()["status"] == "provisioning"
        again = await client.post(path, headers=KEY, data=FORM)
        assert again.json() == first.json()


async def test_a_test_that_was_deleted_before_the_answer_frees_its_key(
    owner: httpx.AsyncClient,
) -> None:
    path = "/api/v1/tests?wait=true"
    waiting = asyncio.create_task(owner.post(path, headers=KEY, data=FORM))
    test_id = await created(owner)
    assert (await owner.delete(f"/api/v1/tests/{test_id}")).status_code == 204
    assert (await waiting).status_code == 404
    assert (await owner.post("/api/v1/tests", headers=KEY, data=FORM)).status_code == 201
