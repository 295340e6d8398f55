"""Plans: what each tier allows, and the minutes of its tests."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api, settings_for
from sqlalchemy import update
from stored import stored_test

from api.app import build_app
from fusillade.cli.platform import load_settings
from fusillade.errors import ValidationFailed
from fusillade.storage import tests
from fusillade.storage.database import Database
from fusillade.storage.models import Organisation, User

SCRIPT = "export default function () { http.get('http://127.0.0.1:9/health'); }"
FORM = {"name": "A test", "workers": "1", "duration": "60", "script": SCRIPT}
TEMPLATE = {"name": "T", "script_content": SCRIPT, "workers": 1, "duration_seconds": 60}
SCHEDULE = TEMPLATE | {"cron_expression": "0 0 2 * * * *"}
READY = {"status": "ready", "started_at": None, "finished_at": None, "summary": None}


async def put_on(api: Api, user: User, plan: str) -> None:
    """Give the user's organisation another plan."""
    async with api.store.session() as session:
        await session.execute(
            update(Organisation).where(Organisation.id == user.organisation_id).values(plan=plan)
        )


@pytest.fixture
async def free(api: Api) -> AsyncIterator[tuple[User, httpx.AsyncClient]]:
    """The owner of an organisation with the plan ``free``: 100 minutes."""
    user = await api.user("owner@free.test")
    await put_on(api, user, "free")
    async with await api.log_in("owner@free.test") as client:
        yield user, client


async def quota(client: httpx.AsyncClient) -> Any:
    answer = await client.get("/api/v1/quota")
    assert answer.status_code == 200, answer.text
    return answer.json()


BEYOND: list[tuple[dict[str, str], str, str]] = [
    (
        {"workers": "51"},
        "worker_limit_exceeded",
        "Worker limit exceeded. Your plan allows up to 50 workers.",
    ),
    (
        {"duration": "301"},
        "duration_limit_exceeded",
        "Duration limit exceeded. Your plan allows up to 300 seconds.",
    ),
    (
        {"region": "ap-sin1"},
        "region_restricted",
        "Region ap-sin1 is not available on your plan. Your plan allows eu-hel1.",
    ),
    (
        {"script": SCRIPT + "\n//" + "x" * (256 << 10)},
        "script_too_large",
        "Script size limit exceeded. Your plan allows up to 262,144 bytes; script.js has 262,216.",
    ),
]


async def test_each_limit_of_a_plan_is_named_by_its_error(
    free: tuple[User, httpx.AsyncClient], poked: list[UUID]
) -> None:
    _, client = free
    for change, code, sentence in BEYOND:
        answer = await client.post("/api/v1/tests", data=FORM | change)
        assert answer.json() == {"error": sentence, "code": code}
    assert (await client.post("/api/v1/tests", data=FORM)).status_code == 201


async def test_templates_and_schedules_are_limited_by_the_plan(
    free: tuple[User, httpx.AsyncClient],
) -> None:
    _, client = free
    for kind, body, most in (("templates", TEMPLATE, 3), ("schedules", SCHEDULE, 1)):
        for _ in range(most):
            assert (await client.post(f"/api/v1/{kind}", json=body)).status_code == 201
        answer = await client.post(f"/api/v1/{kind}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "limit_exceeded")
        assert f"Your plan allows up to {most} {kind}." in answer.json()["error"]
        too_many = await client.post(f"/api/v1/{kind}", json=body | {"workers": 51})
        assert too_many.json()["code"] == "worker_limit_exceeded"
    shown = await quota(client)
    assert (shown["templates_used"], shown["templates_limit"]) == (3, 3)
    assert (shown["schedules_used"], shown["schedules_limit"]) == (1, 1)


async def test_of_two_starts_that_race_for_the_last_minutes_one_wins(
    api: Api, free: tuple[User, httpx.AsyncClient], poked: list[UUID]
) -> None:
    user, client = free
    one, other = [await stored_test(api.store, user, duration_seconds=3600, **READY) for _ in "ab"]
    answers = await asyncio.gather(
        *(client.post(f"/api/v1/tests/{test.id}/start") for test in (one, other))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    (refused,) = [answer.json() for answer in answers if answer.status_code == 403]
    assert refused == {
        "error": "Monthly minute quota exceeded. Your plan allows up to 100 minutes; 40 are left, "
        "and this test needs 60.",
        "code": "quota_exceeded",
    }
    async with api.store.session() as session:
        states = [(await tests.by_id(session, test.id)).status for test in (one, other)]
    assert sorted(states) == ["pending", "ready"]
    shown = await quota(client)
    assert (shown["minutes_used"], shown["minutes_reserved"]) == (0, 60)
    assert (shown["minutes_limit"], shown["minutes_remaining"]) == (100, 40)


async def test_the_end_of_a_test_frees_what_it_has_not_used(
    api: Api, free: tuple[User, httpx.AsyncClient], poked: list[UUID]
) -> None:
    user, client = free
    test = await stored_test(api.store, user, duration_seconds=6000, **READY)
    assert (await client.post(f"/api/v1/tests/{test.id}/start")).status_code == 200
    assert (await quota(client))["minutes_remaining"] == 0
    # A quarter of an hour, of which it was paused for ten minutes.
    async with api.store.session() as session:
        running = await tests.transition(session, test.id, "running")
        running.started_at = datetime.now(UTC) - timedelta(minutes=14, seconds=59.5)
        running.paused_seconds = 600.0
    async with api.store.session() as session:
        await tests.transition(session, test.id, "stopped")
    shown = await quota(client)
    assert (shown["minutes_reserved"], shown["minutes_remaining"]) == (0, 95)
    assert shown["minutes_used"] == 5
    assert (await client.delete(f"/api/v1/tests/{test.id}")).status_code == 204
    assert await quota(client) == shown


async def test_a_test_that_never_ran_costs_nothing(
    api: Api, free: tuple[User, httpx.AsyncClient], poked: list[UUID]
) -> None:
    user, client = free
    cancelled, deleted = [await stored_test(api.store, user, **READY) for _ in "ab"]
    for test in (cancelled, deleted):
        assert (await client.post(f"/api/v1/tests/{test.id}/start")).status_code == 200
    assert (await quota(client))["minutes_reserved"] == 2
    assert (await client.post(f"/api/v1/tests/{cancelled.id}/stop")).status_code == 200
    assert (await client.delete(f"/api/v1/tests/{deleted.id}")).status_code == 204
    shown = await quota(client)
    assert (shown["minutes_used"], shown["minutes_reserved"]) == (0, 0)


async def test_a_test_that_starts_by_itself_reserves_when_it_is_created(
    api: Api, free: tuple[User, httpx.AsyncClient], poked: list[UUID]
) -> None:
    user, client = free
    schedule = (await client.post("/api/v1/schedules", json=SCHEDULE)).json()
    trigger = f"/api/v1/schedules/{schedule['id']}/trigger"
    created = (await client.post(trigger)).json()
    assert (await quota(client))["minutes_reserved"] == 1
    async with api.store.session() as session:
        await tests.transition(session, UUID(created["test_id"]), "ready")
    # Somebody is faster than the test itself: it is not charged twice.
    await client.post(f"/api/v1/tests/{created['test_id']}/start")
    assert (await quota(client))["minutes_reserved"] == 1
    big = await stored_test(api.store, user, duration_seconds=5940, **READY)
    assert (await client.post(f"/api/v1/tests/{big.id}/start")).status_code == 200
    answer = await client.post(trigger)
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert len(poked) == 3


async def test_the_setting_plans_changes_tiers_and_adds_others(
    database_url: str, store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "FUSILLADE_PLANS",
        '{"free": {"workers": 7, "monthly_minutes": null}, "ours": {"regions": ["ap-sin1"]}}',
    )
    app = build_app(settings_for(database_url, data_dir=tmp_path))
    async with app.router.lifespan_context(app):
        api = Api(app, store, tmp_path)
        user = await api.user("owner@acme.test")
        async with await api.log_in("owner@acme.test") as client:
            assert (await quota(client))["plan"] == "self-hosted"
            await put_on(api, user, "free")
            shown = await quota(client)
            assert (shown["workers_limit"], shown["minutes_limit"]) == (7, None)
            assert shown["minutes_remaining"] is None
            assert shown["duration_seconds_limit"] == 300
            await put_on(api, user, "ours")
            shown = await quota(client)
            assert (shown["plan"], shown["workers_limit"]) == ("ours", 100_000)
            regions = (await client.get("/api/v1/regions")).json()["regions"]
            assert [region["code"] for region in regions] == ["ap-sin1"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('{"free": {"wrokers": 7}}', "The setting plans.free.wrokers is wrong"),
        ('{"free": {"workers": 0}}', "The setting plans.free.workers is wrong"),
        ("free: 7", "The setting plans is wrong: it must be valid JSON."),
    ],
)
def test_plans_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    monkeypatch.setenv("FUSILLADE_PLANS", value)
    with pytest.raises(ValidationFailed, match=words):
        load_settings()
