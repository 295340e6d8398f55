"""Beside the reference: the requests that failed in a run. Of live runs it is in tests/e2e."""

from uuid import uuid4

import httpx
import msgspec
import pytest
from apis import Api
from failed import failed_request
from stored import measured_test, stored_test

from fusillade.storage import failures
from fusillade.storage.models import Test, User

RECORDS = [
    failed_request("http://127.0.0.1/a", answer="\0\ud7ff <b>"),
    failed_request("http://127.0.0.1/b", status=0),
]


@pytest.fixture
async def ended(api: Api, user: User) -> Test:
    test = await measured_test(api.store, user)
    for records in ([], RECORDS):  # the second time replaces the first
        async with api.store.session() as session:
            await failures.save(session, test.id, records)
    return test


async def test_get_tests_id_failures_shows_what_was_sent_and_what_came_back(
    owner: httpx.AsyncClient, ended: Test
) -> None:
    answer = (await owner.get(f"/api/v1/tests/{ended.id}/failures")).json()
    shown = msgspec.to_builtins(RECORDS)
    assert answer == {"test_id": str(ended.id), "status": "completed", "failures": shown}
    report = await owner.get(f"/api/v1/tests/{ended.id}/report?format=json")
    assert report.json()["failures"] == shown


async def test_get_tests_id_failures_is_empty_where_nothing_failed(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    assert (await owner.get(f"/api/v1/tests/{test.id}/failures")).json()["failures"] == []
    answer = await owner.get(f"/api/v1/tests/{uuid4()}/failures")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
