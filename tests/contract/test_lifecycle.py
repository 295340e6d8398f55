"""The reference's section Tests: the status flow, and the rows that change or watch a live test."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api
from stored import stored_test

from api import tests as api_tests
from fusillade.storage.models import Test, User


async def live(api: Api, user: User, status: str, **more: Any) -> Test:
    return await stored_test(api.store, user, status=status, start_at=1.0, summary=None, **more)


async def test_post_tests_id_start_starts_a_ready_test(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    test = await live(api, user, "ready")
    answer = await owner.post(f"/api/v1/tests/{test.id}/start")
    assert answer.json() == {"test_id": str(test.id), "status": "pending"}
    assert poked == [test.id]


async def test_post_tests_id_stop_stops_a_running_test(
    api: Api,
    owner: httpx.AsyncClient,
    user: User,
    poked: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_tests, "_STOP_SECONDS", 0.0)
    test = await live(api, user, "running")
    answer = await owner.post(f"/api/v1/tests/{test.id}/stop")
    assert (answer.status_code, answer.json()["test_id"]) == (200, str(test.id))
    assert poked == [test.id]


async def test_post_tests_id_pause_pauses_a_running_test(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    test = await live(api, user, "running")
    answer = await owner.post(f"/api/v1/tests/{test.id}/pause")
    assert answer.json() == {"test_id": str(test.id), "status": "running", "paused": True}
    assert poked == [test.id]


async def test_post_tests_id_resume_resumes_a_paused_test(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    test = await live(api, user, "running", paused_at=2.0)
    answer = await owner.post(f"/api/v1/tests/{test.id}/resume")
    assert answer.json() == {"test_id": str(test.id), "status": "running", "paused": False}
    assert poked == [test.id]


async def test_delete_tests_id_deletes_a_test(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    answer = await owner.delete(f"/api/v1/tests/{test.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await owner.get(f"/api/v1/tests/{test.id}")).json()["code"] == "not_found"


async def test_get_tests_id_workers_lists_active_workers(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    assert (await owner.get(f"/api/v1/tests/{test.id}/workers")).json() == {"workers": []}


async def test_get_tests_id_queue_tells_the_queue_status(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await live(api, user, "provisioning")
    answer = (await owner.get(f"/api/v1/tests/{test.id}/queue")).json()
    assert (answer["test_id"], answer["waiting"], answer["position"]) == (str(test.id), True, 1)


async def test_invalid_state_for_starting_a_test_that_is_not_ready(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await live(api, user, "provisioning")
    answer = await owner.post(f"/api/v1/tests/{test.id}/start")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_state")


@pytest.mark.parametrize("operation", ["start", "stop", "pause", "resume"])
async def test_operations_of_the_flow_need_the_scope_test_create(
    api: Api, owner: httpx.AsyncClient, user: User, operation: str
) -> None:
    test = await live(api, user, "running")
    for scope in ("test:read", "read"):
        key = (await owner.post("/api/v1/keys", json={"name": "K", "scopes": [scope]})).json()
        async with api.client(key["key"]) as program:
            answer = await program.post(f"/api/v1/tests/{test.id}/{operation}")
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("what", ["workers", "queue"])
async def test_whoever_may_read_may_watch(
    api: Api, owner: httpx.AsyncClient, user: User, what: str
) -> None:
    test = await stored_test(api.store, user)
    for scope in ("test:create", "test:read", "read"):
        key = (await owner.post("/api/v1/keys", json={"name": "K", "scopes": [scope]})).json()
        async with api.client(key["key"]) as program:
            answer = await program.get(f"/api/v1/tests/{test.id}/{what}")
            assert answer.status_code == 200, answer.text
    async with api.client() as nobody:
        answer = await nobody.get(f"/api/v1/tests/{test.id}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")
