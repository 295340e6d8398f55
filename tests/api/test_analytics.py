"""Trends, and runs side by side."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from stored import stored_test

from fusillade.storage.models import User


async def test_a_trend_has_a_point_for_each_run_and_a_bucket_for_each_day(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    for days_ago, p95 in ((40, 1.0), (8, 10.0), (2, 30.0), (2, 20.0), (1, 40.0)):
        await stored_test(api.store, user, days_ago=days_ago, summary={"p95_latency_ms": p95})
    await stored_test(api.store, user, status="failed", summary={"p95_latency_ms": 9999})
    answer = (await owner.get("/api/v1/analytics/trends")).json()
    assert (answer["metric"], answer["period"], answer["total_runs"]) == ("p95", "30d", 4)
    assert [point["value"] for point in answer["points"]] == [10.0, 30.0, 20.0, 40.0]
    days = [(datetime.now(UTC) - timedelta(days=ago)).date().isoformat() for ago in (8, 2, 1)]
    assert [day["date"] for day in answer["daily"]] == days
    assert answer["daily"][1] == {"date": days[1], "runs": 2, "avg": 25.0, "min": 20.0, "max": 30.0}
    longer = (await owner.get("/api/v1/analytics/trends?period=365d&limit=2")).json()
    assert longer["total_runs"] == 5
    assert [point["value"] for point in longer["points"]] == [20.0, 40.0]


@pytest.mark.parametrize(
    ("metric", "column"),
    [("avg", "avg_latency_ms"), ("error_rate", "error_rate"), ("rps", "rps")],
)
async def test_every_metric_has_a_trend_by_target(
    api: Any, owner: httpx.AsyncClient, user: User, metric: str, column: str
) -> None:
    await stored_test(api.store, user, summary={column: 0.25}, target_urls=["https://a.test"])
    await stored_test(api.store, user, summary={column: 0.5}, target_urls=["https://b.test"])
    query = f"metric={metric}&period=7d&target_url=https://b.test"
    answer = (await owner.get(f"/api/v1/analytics/trends?{query}")).json()
    assert [point["value"] for point in answer["points"]] == [0.5]


async def test_other_organisations_runs_are_in_no_trend(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    other = await api.user("somebody@else.test", "Else")
    theirs = await stored_test(api.store, other)
    answer = (await owner.get("/api/v1/analytics/trends")).json()
    assert (answer["points"], answer["daily"]) == ([], [])
    answer = await owner.get(f"/api/v1/analytics/compare?test_ids={theirs.id}")
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["period=0d", "period=366d", "period=week", "metric=p50"])
async def test_a_period_or_metric_that_there_is_not_is_a_validation_error(
    owner: httpx.AsyncClient, query: str
) -> None:
    answer = await owner.get(f"/api/v1/analytics/trends?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


async def test_up_to_ten_runs_stand_side_by_side(
    api: Any, owner: httpx.AsyncClient, user: User
) -> None:
    ids = [str((await stored_test(api.store, user, name=f"run {i}")).id) for i in range(11)]
    answer = await owner.get(f"/api/v1/analytics/compare?test_ids={','.join(ids[:10])}")
    assert [test["id"] for test in answer.json()["tests"]] == ids[:10]
    answer = await owner.get(f"/api/v1/analytics/compare?test_ids={','.join(ids)}")
    assert answer.json() == {
        "error": "test_ids: at most 10 tests can be compared.",
        "code": "validation_error",
    }
    answer = await owner.get("/api/v1/analytics/compare?test_ids=x")
    assert answer.json()["error"] == "test_ids: 'x' is not the id of a test."
