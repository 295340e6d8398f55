"""The reference's section Tests, and its row on validation: each row, each example.

The rows of a test's lifecycle are in ``test_lifecycle.py``. The examples run once more as printed, by
bash and curl against a whole platform, in ``tests/e2e/test_reference_examples.py``.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from apis import Api, settings_for
from references import SCRIPT, example
from stored import stored_test

from api.app import build_app
from api.platform import Platform
from fusillade.errors import InvalidState
from fusillade.settings import Settings
from fusillade.storage import tests
from fusillade.storage.database import Database
from fusillade.storage.models import User

CREATE = r"""
curl -X POST "https://api.fusillade.io/api/v1/tests" \
  -H "Authorization: Bearer <token>" \
  -F "name=API Load Test" \
  -F "script=@test.js" \
  -F "workers=100" \
  -F "duration=60" \
  -F "region=eu-hel1"
"""
WAIT_FOR_READY = r"""
curl -X POST "https://api.fusillade.io/api/v1/tests?wait=true" \
  -H "Authorization: Bearer <token>" \
  -F "name=CI Test" \
  -F "script=@test.js" \
  -F "workers=50" \
  -F "duration=60"
"""
WAIT_FOR_COMPLETED = WAIT_FOR_READY.replace("?wait=true", "?wait=true&wait_for=completed")
COMPARE = r"""
curl "https://api.fusillade.io/api/v1/tests/<current_id>/compare/<baseline_id>" \
  -H "Authorization: Bearer <token>"
"""
COMPARISON = """
{
  "baseline": {
    "name": "API Load Test v1.2",
    "status": "completed",
    "workers": 100,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "avg_latency_ms": 42.5,
    "p95_latency_ms": 89.2,
    "error_rate": 0.001,
    "rps": 1250.0,
    "total_requests": 75000
  },
  "current": {
    "name": "API Load Test v1.3",
    "status": "completed",
    "workers": 100,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "avg_latency_ms": 48.1,
    "p95_latency_ms": 102.4,
    "error_rate": 0.002,
    "rps": 1180.0,
    "total_requests": 70800
  },
  "delta": {
    "avg_latency_ms": 5.6,
    "p95_latency_ms": 13.2,
    "error_rate": 0.001,
    "rps": -70.0
  },
  "regression": true,
  "regression_reasons": [
    "p95 latency increased 14.8%"
  ]
}
"""
MEASURED = ("avg_latency_ms", "p95_latency_ms", "error_rate", "rps", "total_requests")
FLOW = [
    ("provisioning", "ready"),
    ("ready", "pending"),
    ("pending", "running"),
    ("running", "completed"),
    ("running", "failed"),
    ("provisioning", "cancelled"),
    ("running", "stopped"),
]


@pytest.fixture
async def impatient(database_url: str, tmp_path: Path, api: Api) -> AsyncIterator[Any]:
    """A client of an API that does not wait long."""
    settings = settings_for(
        database_url, data_dir=tmp_path, wait_ready_seconds=0.1, wait_completed_seconds=0.1
    )
    app = build_app(settings)
    async with app.router.lifespan_context(app):
        yield Api(app, api.store, tmp_path)


async def test_example_create_test(owner: httpx.AsyncClient, poked: list[UUID]) -> None:
    answer = await example(CREATE).send(owner)
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"test_id": created["test_id"], "status": "provisioning"}
    assert poked == [UUID(created["test_id"])]
    test = (await owner.get(f"/api/v1/tests/{created['test_id']}")).json()
    assert {name: test[name] for name in ("name", "workers", "duration_seconds", "region")} == {
        "name": "API Load Test",
        "workers": 100,
        "duration_seconds": 60,
        "region": "eu-hel1",
    }


@pytest.mark.parametrize("field", ["name", "script", "workers", "duration"])
async def test_field_is_required(owner: httpx.AsyncClient, field: str) -> None:
    whole = example(CREATE)
    whole.form.pop(field, None)
    whole.files.pop(field, None)
    answer = await whole.send(owner)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert field in answer.json()["error"]
    assert (await owner.get("/api/v1/tests")).json()["total"] == 0


@pytest.mark.parametrize("field", ["workers", "duration"])
async def test_field_is_an_integer(owner: httpx.AsyncClient, field: str) -> None:
    whole = example(CREATE)
    whole.form[field] = "many"
    answer = await whole.send(owner)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert field in answer.json()["error"]


async def test_field_region_is_eu_hel1_if_it_is_missing(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    whole = example(CREATE)
    del whole.form["region"]
    created = (await whole.send(owner)).json()
    assert (await owner.get(f"/api/v1/tests/{created['test_id']}")).json()["region"] == "eu-hel1"


def _going(monkeypatch: pytest.MonkeyPatch, *statuses: str) -> None:
    """In place of actors, somebody who takes each new test through these statuses."""
    at_work = set()

    async def go(database: Database, test_id: UUID) -> None:
        for status in statuses:
            async with database.session() as session:
                await tests.transition(session, test_id, status)

    async def poke(self: Platform, test_id: UUID) -> None:
        at_work.add(asyncio.create_task(go(self.database, test_id)))

    monkeypatch.setattr(Platform, "poke", poke)


async def test_example_wait_for_ready(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _going(monkeypatch, "ready")
    answer = await example(WAIT_FOR_READY).send(owner)
    assert answer.status_code == 201
    assert answer.json() == {"test_id": answer.json()["test_id"], "status": "ready"}


async def test_example_wait_for_full_completion(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _going(monkeypatch, "ready", "pending", "running", "completed")
    answer = await example(WAIT_FOR_COMPLETED).send(owner)
    assert (answer.status_code, answer.json()["status"]) == (201, "completed")


@pytest.mark.parametrize("command", [WAIT_FOR_READY, WAIT_FOR_COMPLETED])
async def test_wait_timeout_returns_the_current_status_and_cancels_nothing(
    impatient: Api, poked: list[UUID], command: str
) -> None:
    await impatient.user("owner@acme.test")
    async with await impatient.log_in("owner@acme.test") as owner:
        answer = await example(command).send(owner)
        assert (answer.status_code, answer.json()["status"]) == (201, "provisioning")
        test = (await owner.get(f"/api/v1/tests/{answer.json()['test_id']}")).json()
        assert test["status"] == "provisioning"


def test_wait_timeout_is_5_min_for_ready_and_30_min_for_completed() -> None:
    settings = Settings()
    assert (settings.wait_ready_seconds, settings.wait_completed_seconds) == (300, 1800)


async def test_get_tests_lists_tests_page_by_page(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    made = [str((await stored_test(api.store, user, days_ago=i)).id) for i in range(3)]
    first = (await owner.get("/api/v1/tests?limit=2")).json()
    assert ([test["id"] for test in first["tests"]], first["total"]) == (made[:2], 3)
    rest = (await owner.get(f"/api/v1/tests?limit=2&cursor={first['next_cursor']}")).json()
    assert ([test["id"] for test in rest["tests"]], rest["next_cursor"]) == (made[2:], None)


async def test_get_tests_id_gets_details_metrics_and_thresholds(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    thresholds = [
        {"metric": "http_req_duration", "expression": "p95 < 500", "value": 12.5, "ok": True}
    ]
    summary = {"p95_latency_ms": 12.5, "total_requests": 7, "thresholds": thresholds}
    test = await stored_test(api.store, user, summary=summary)
    answer = await owner.get(f"/api/v1/tests/{test.id}")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["status"]) == (str(test.id), "completed")
    assert (shown["metrics"]["p95_latency_ms"], shown["metrics"]["total_requests"]) == (12.5, 7)
    assert shown["thresholds"] == shown["summary"]["thresholds"] == thresholds


@pytest.mark.parametrize(("present", "then"), FLOW)
async def test_status_flow(api: Api, user: User, present: str, then: str) -> None:
    test = await stored_test(api.store, user, status=present)
    async with api.store.session() as session:
        assert (await tests.transition(session, test.id, then)).status == then


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelled", "stopped"])
async def test_status_flow_ends(api: Api, user: User, ended: str) -> None:
    test = await stored_test(api.store, user, status=ended)
    for then in sorted(set(tests.STATUSES) - {"provisioning"}):
        with pytest.raises(InvalidState):
            async with api.store.session() as session:
                await tests.transition(session, test.id, then)


async def test_example_compare_against_baseline(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    printed = json.loads(COMPARISON)
    ids = {}
    for which in ("baseline", "current"):
        run = printed[which]
        fields = {name: value for name, value in run.items() if name not in MEASURED}
        summary = {name: run[name] for name in MEASURED}
        ids[which] = (await stored_test(api.store, user, summary=summary, **fields)).id
    answer = await example(COMPARE).send(
        owner, current_id=ids["current"], baseline_id=ids["baseline"]
    )
    assert answer.status_code == 200
    assert answer.json() == printed
    assert json.dumps(answer.json()) == json.dumps(printed)  # in the printed order


@pytest.mark.parametrize(
    ("p95", "error_rate", "reasons"),
    [
        (110.0, 0.001, []),
        (110.1, 0.001, ["p95 latency increased 10.1%"]),
        (100.0, 0.006, []),
        (100.0, 0.007, ["error rate increased 0.6 percentage points"]),
    ],
)
async def test_regression_detection_rules(
    api: Api,
    owner: httpx.AsyncClient,
    user: User,
    p95: float,
    error_rate: float,
    reasons: list[str],
) -> None:
    before = {"p95_latency_ms": 100.0, "error_rate": 0.001}
    baseline = await stored_test(api.store, user, summary=before)
    now = {"p95_latency_ms": p95, "error_rate": error_rate}
    current = await stored_test(api.store, user, summary=now)
    found = (await owner.get(f"/api/v1/tests/{current.id}/compare/{baseline.id}")).json()
    assert (found["regression"], found["regression_reasons"]) == (bool(reasons), reasons)


async def test_post_tests_validate_validates_script_syntax(owner: httpx.AsyncClient) -> None:
    good = {"script_content": SCRIPT.decode()}
    answer = await owner.post("/api/v1/tests/validate", json=good)
    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    answer = await owner.post("/api/v1/tests/validate", json={"script_content": "let = ;\n"})
    assert (answer.status_code, answer.json()["valid"]) == (200, False)
    problem = answer.json()["problems"][0]
    assert (problem["line"], problem["severity"]) == (1, "error")
    assert (await owner.get("/api/v1/tests")).json()["total"] == 0


async def test_invalid_script(owner: httpx.AsyncClient, poked: list[UUID]) -> None:
    files = {"script": ("test.js", b"export default function ( {")}
    answer = await owner.post("/api/v1/tests", data=example(CREATE).form, files=files)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_script")
    assert poked == []


async def test_not_found_for_a_test_of_another_organisation(
    api: Api, owner: httpx.AsyncClient
) -> None:
    theirs = await stored_test(api.store, await api.user("them@globex.test", "Globex"))
    for test_id in (theirs.id, uuid4()):
        answer = await owner.get(f"/api/v1/tests/{test_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
