"""The reference's section Analytics: each row, each example."""

from typing import Any

import httpx
import pytest
from apis import Api
from references import example
from stored import stored_test

from fusillade.storage.models import User

P95_OF_30_DAYS = r"""
curl "https://api.fusillade.io/api/v1/analytics/trends?metric=p95&period=30d" \
  -H "Authorization: Bearer <token>"
"""
ERROR_RATE_OF_A_TARGET = r"""
curl "https://api.fusillade.io/api/v1/analytics/trends?target_url=https://api.example.com&metric=error_rate&period=7d" \
  -H "Authorization: Bearer <token>"
"""


@pytest.fixture
async def runs(api: Api, user: User) -> list[str]:
    """Ids of three runs, 40 days, 10 days and 1 day ago."""
    made = []
    for days_ago, url in ((40, "https://a.test"), (10, "https://api.example.com"), (1, None)):
        targets = ["https://api.example.com" if url is None else url]
        summary = {
            "p95_latency_ms": 1.0 * days_ago,
            "avg_latency_ms": 0.5 * days_ago,
            "error_rate": 0.001 * days_ago,
            "rps": 100.0 * days_ago,
        }
        test = await stored_test(
            api.store, user, days_ago=days_ago, summary=summary, target_urls=targets
        )
        made.append(str(test.id))
    return made


def _values(trend: Any) -> list[float]:
    return [point["value"] for point in trend["points"]]


async def test_example_get_trends(owner: httpx.AsyncClient, runs: list[str]) -> None:
    answer = await example(P95_OF_30_DAYS).send(owner)
    assert answer.status_code == 200
    assert [point["test_id"] for point in answer.json()["points"]] == runs[1:]
    assert _values(answer.json()) == [10.0, 1.0]
    answer = await example(ERROR_RATE_OF_A_TARGET).send(owner)
    assert answer.status_code == 200
    assert _values(answer.json()) == [0.001]


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("p95", [10.0, 1.0]),
        ("avg", [5.0, 0.5]),
        ("error_rate", [0.01, 0.001]),
        ("rps", [1000.0, 100.0]),
    ],
)
async def test_param_metric(
    owner: httpx.AsyncClient, runs: list[str], metric: str, values: list[float]
) -> None:
    trend = (await owner.get(f"/api/v1/analytics/trends?metric={metric}")).json()
    assert (trend["metric"], _values(trend)) == (metric, values)


async def test_param_metric_is_p95_by_default(owner: httpx.AsyncClient, runs: list[str]) -> None:
    assert (await owner.get("/api/v1/analytics/trends")).json()["metric"] == "p95"


@pytest.mark.parametrize(
    ("period", "count"), [("7d", 1), ("30d", 2), ("90d", 3), ("365d", 3), ("", 2)]
)
async def test_param_period(
    owner: httpx.AsyncClient, runs: list[str], period: str, count: int
) -> None:
    query = {"period": period} if period else {}
    trend = (await owner.get("/api/v1/analytics/trends", params=query)).json()
    assert (trend["period"], len(trend["points"])) == (period or "30d", count)


async def test_param_period_is_at_most_365d(owner: httpx.AsyncClient) -> None:
    answer = await owner.get("/api/v1/analytics/trends?period=366d")
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


async def test_param_target_url_is_all_by_default(
    owner: httpx.AsyncClient, runs: list[str]
) -> None:
    every = (await owner.get("/api/v1/analytics/trends?period=90d")).json()
    one = (await owner.get("/api/v1/analytics/trends?period=90d&target_url=https://a.test")).json()
    assert (every["target_url"], len(every["points"])) == (None, 3)
    assert (one["target_url"], _values(one)) == ("https://a.test", [40.0])


async def test_get_analytics_trends_needs_the_scope_test_read(
    api: Api, owner: httpx.AsyncClient, runs: list[str]
) -> None:
    key = (await owner.post("/api/v1/keys", json={"name": "k", "scopes": ["test:read"]})).json()
    async with api.client(key["key"]) as program:
        assert (await program.get("/api/v1/analytics/trends")).status_code == 200
        path = f"/api/v1/analytics/compare?test_ids={runs[0]}"
        assert (await program.get(path)).status_code == 200


async def test_get_analytics_compare_shows_up_to_10_runs_side_by_side(
    api: Api, owner: httpx.AsyncClient, user: User, runs: list[str]
) -> None:
    runs += [str((await stored_test(api.store, user)).id) for _ in range(8)]
    path = "/api/v1/analytics/compare?test_ids="
    answer = await owner.get(path + ",".join(runs[:3]))
    assert [test["id"] for test in answer.json()["tests"]] == runs[:3]
    assert [test["metrics"]["p95_latency_ms"] for test in answer.json()["tests"]] == [40, 10, 1]
    assert len((await owner.get(path + ",".join(runs[:10]))).json()["tests"]) == 10
    assert (await owner.get(path + ",".join(runs))).json()["code"] == "validation_error"
