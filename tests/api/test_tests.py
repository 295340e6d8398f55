"""Tests as the API lists, compares and deletes them."""

from typing import Any

import httpx
import pytest
from stored import stored_test

from fusillade.storage.models import User


async def test_the_list_can_be_filtered(api: Any, owner: httpx.AsyncClient, user: User) -> None:
    await stored_test(api.store, user, name="Checkout 100%", days_ago=3)
    await stored_test(api.store, user, name="Search", status="failed", days_ago=2)
    await stored_test(api.store, user, name="checkout", region="us-east-1", days_ago=1)

    async def names(query: str) -> list[str]:
        answer = await owner.get(f"/api/v1/tests?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == len(answer.json()["tests"])
        return [test["name"] for test in answer.json()["tests"]]

    assert await names("") == ["checkout", "Search", "Checkout 100%"]
    assert await names("search=CHECKOUT") == ["checkout", "Checkout 100%"]
    assert await names("search=100%25") == ["Checkout 100%"]
    assert await names("status=failed") == ["Search"]
    assert await names("status=failed&status=completed&region=eu-hel1") == [
        "Search",
        "Checkout 100%",
    ]
    assert await names("target_url=https://api.example.com&sort=created_at") == [
        "Checkout 100%",
        "Search",
        "checkout",
    ]
    assert await names("target_url=https://nobody.example.com") == []


@pytest.mark.parametrize("query", ["status=gone", "sort=secret", "limit=0", "created_after=then"])
async def test_a_filter_that_makes_no_sense_is_a_validation_error(
    owner: httpx.AsyncClient, query: str
) -> None:
    answer = await owner.get(f"/api/v1/tests?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_error"


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "name", "-workers"])
async def test_pages_neither_repeat_nor_miss_what_rows_are_added_between(
    api: Any, owner: httpx.AsyncClient, user: User, sort: str
) -> None:
    expected = set()
    for i in range(7):
        test = await stored_test(
            api.store, user, name=f"test {i % 3}", workers=i % 2 + 1, days_ago=i
        )
        expected.add(str(test.id))
    seen: list[str] = []
    cursor = ""
    while True:
        answer = (await owner.get(f"/api/v1/tests?limit=2&sort={sort}{cursor}")).json()
        seen += [test["id"] for test in answer["tests"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
        await stored_test(api.store, user, name="a new one", workers=9)
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)


async def test_a_cursor_of_another_order_is_a_validation_error(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    for _ in range(2):
        await stored_test(api.store, user)
    cursor = (await owner.get("/api/v1/tests?limit=1")).json()["next_cursor"]
    answer = await owner.get(f"/api/v1/tests?limit=1&sort=name&cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


async def test_a_run_is_compared_with_its_baseline(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    baseline = await stored_test(api.store, user, summary={"p95_latency_ms": 89.2})
    current = await stored_test(api.store, user, summary={"p95_latency_ms": 102.4})
    answer = await owner.get(f"/api/v1/tests/{current.id}/compare/{baseline.id}")
    assert answer.status_code == 200
    assert answer.json()["regression_reasons"] == ["p95 latency increased 14.8%"]


async def test_a_run_without_results_cannot_be_compared(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    ended = await stored_test(api.store, user)
    cancelled = await stored_test(api.store, user, status="cancelled")
    async with api.store.session() as session:
        (await session.get(type(cancelled), cancelled.id)).summary = None
    answer = await owner.get(f"/api/v1/tests/{ended.id}/compare/{cancelled.id}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_state"
    assert "is cancelled and has no results" in answer.json()["error"]


async def test_a_deleted_test_is_gone(api: Any, owner: httpx.AsyncClient, user: User) -> None:
    test = await stored_test(api.store, user)
    assert (await owner.delete(f"/api/v1/tests/{test.id}")).status_code == 204
    assert (await owner.get(f"/api/v1/tests/{test.id}")).status_code == 404
    assert (await owner.delete(f"/api/v1/tests/{test.id}")).status_code == 404


async def test_deleting_needs_the_scope_full(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    key = (await owner.post("/api/v1/keys", json={"name": "CI", "scopes": ["test:create"]})).json()
    async with api.client(key["key"]) as program:
        answer = await program.delete(f"/api/v1/tests/{test.id}")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
