"""What can be done to a test in which state: all states, all operations."""

import itertools
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api
from sqlalchemy import inspect
from stored import stored_test

from api import tests as api_tests
from fusillade.storage.database import Database
from fusillade.storage.models import Test, User

STATES: dict[str, dict[str, Any]] = {
    "provisioning": {},
    "ready": {},
    "pending": {},
    "running": {},
    "paused": {"status": "running", "paused_at": 5.0},
    "resumed": {"status": "running", "resumed_at": 6.0, "paused_seconds": 1.0},
    "stopping": {"status": "running", "stop_requested": True},
    "paused and stopping": {"status": "running", "stop_requested": True, "paused_at": 5.0},
    "completed": {},
    "failed": {},
    "stopped": {},
    "cancelled": {},
}
ALLOWED = {
    ("ready", "start"): ("pending", False),
    ("provisioning", "stop"): ("cancelled", False),
    ("ready", "stop"): ("cancelled", False),
    ("pending", "stop"): ("cancelled", False),
    ("running", "stop"): ("running", False),
    ("paused", "stop"): ("running", False),
    ("resumed", "stop"): ("running", False),
    # Who asks twice gets what was asked for.
    ("stopping", "stop"): ("running", False),
    ("paused and stopping", "stop"): ("running", False),
    ("running", "pause"): ("running", True),
    ("resumed", "pause"): ("running", True),
    ("paused", "resume"): ("running", False),
}
"""The status after it, and whether the test is paused then."""


async def row(store: Database, test_id: UUID) -> dict[str, Any]:
    async with store.session() as session:
        test = await session.get(Test, test_id)
        return {column.key: getattr(test, column.key) for column in inspect(Test).column_attrs}


async def test_what_a_state_does_not_allow_is_invalid_state_and_changes_nothing(
    api: Api,
    owner: httpx.AsyncClient,
    user: User,
    poked: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_tests, "_STOP_SECONDS", 0.0)
    for state, operation in itertools.product(STATES, ("start", "stop", "pause", "resume")):
        case = f"{operation} {state}"
        fields = {"status": state, "start_at": 4.0, "summary": None} | STATES[state]
        test = await stored_test(api.store, user, **fields)
        before = await row(api.store, test.id)
        poked.clear()
        answer = await owner.post(f"/api/v1/tests/{test.id}/{operation}")
        after = (await owner.get(f"/api/v1/tests/{test.id}")).json()
        if (state, operation) in ALLOWED:
            status, paused = ALLOWED[state, operation]
            assert (answer.status_code, answer.json()["status"]) == (200, status), case
            assert (after["status"], after["paused"]) == (status, paused), case
            assert poked == [test.id], case
        else:
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_state"), case
            assert answer.json()["error"].startswith("The test is "), case
            assert await row(api.store, test.id) == before, case
            assert poked == [], case


async def test_a_test_of_any_state_can_be_deleted(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    for state in STATES:
        test = await stored_test(api.store, user, **({"status": state} | STATES[state]))
        poked.clear()
        assert (await owner.delete(f"/api/v1/tests/{test.id}")).status_code == 204
        live = test.status in ("provisioning", "ready", "pending", "running")
        assert poked == ([test.id] if live else []), state
        for operation in ("start", "stop", "pause", "resume"):
            answer = await owner.post(f"/api/v1/tests/{test.id}/{operation}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_pause_and_its_end_are_told_and_counted(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    test = await stored_test(api.store, user, status="running", start_at=time.time() - 10)
    path = f"/api/v1/tests/{test.id}"
    expected = {"test_id": str(test.id), "status": "running"}
    for _ in range(2):
        assert (await owner.post(f"{path}/pause")).json() == expected | {"paused": True}
        (listed,) = (await owner.get("/api/v1/tests")).json()["tests"]
        assert (listed["status"], listed["paused"]) == ("running", True)
        assert (await owner.post(f"{path}/resume")).json() == expected | {"paused": False}
    after = await row(api.store, test.id)
    assert after["paused_at"] is None
    # The second pause began when the first had ended, which is a moment after it was asked for.
    assert after["resumed_at"] > time.time() - 10
    assert after["paused_seconds"] > 0


async def test_a_pause_before_the_shared_start_is_none_of_the_time_before_it(
    api: Api, owner: httpx.AsyncClient, user: User, poked: list[UUID]
) -> None:
    start_at = time.time() + 100
    test = await stored_test(api.store, user, status="running", start_at=start_at)
    path = f"/api/v1/tests/{test.id}"
    assert (await owner.post(f"{path}/pause")).status_code == 200
    assert (await row(api.store, test.id))["paused_at"] == start_at
    assert (await owner.post(f"{path}/resume")).status_code == 200
    after = await row(api.store, test.id)
    assert (after["resumed_at"], after["paused_seconds"]) == (start_at, 0.0)


async def test_pausing_needs_the_scope_test_create(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user, status="running", start_at=1.0)
    key = (await owner.post("/api/v1/keys", json={"name": "CI", "scopes": ["test:read"]})).json()
    async with api.client(key["key"]) as program:
        for operation in ("pause", "resume"):
            answer = await program.post(f"/api/v1/tests/{test.id}/{operation}")
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
