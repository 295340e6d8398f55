"""What the API shows of a schedule's firings, and what it hands to the scheduler."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api, settings_for
from sqlalchemy import select, update

from fusillade.hosting.messages import Loaded
from fusillade.scheduling.scheduler import Scheduler
from fusillade.storage.models import Schedule, WebhookDelivery

SCHEDULE: dict[str, Any] = {
    "name": "Nightly",
    "script_content": "export default function () { http.get('https://one.example.com/'); }",
    "workers": 10,
    "duration_seconds": 30,
    "cron_expression": "0 0 2 * * * *",
}


@pytest.fixture
async def schedule(owner: httpx.AsyncClient) -> Any:
    """A schedule that has not fired yet."""
    answer = await owner.post("/api/v1/schedules", json=SCHEDULE)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fire(api: Api, at: datetime, **settings: Any) -> None:
    """Let a scheduler do what is due at a time. It is given no way to check a script."""

    async def launch(test_id: UUID) -> None:
        pass

    async def validate(*_: Any) -> Loaded:
        raise AssertionError("the API has checked the script")

    scheduler = Scheduler(
        api.store,
        settings_for("", **settings),
        validate=validate,
        launch=launch,
        clock=lambda: at,
    )
    await scheduler.look()
    await scheduler.idle()


def times(schedule: Any) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in schedule["next_runs"]]


async def test_a_schedule_shows_what_became_of_its_times(
    api: Api, owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    assert (schedule["firings"], schedule["refusal"]) == ([], None)
    first, second, third, *_ = times(schedule)
    await fire(api, first)
    await fire(api, second, max_workers=5)
    await fire(api, third + timedelta(hours=1))
    shown = (await owner.get(path)).json()
    (test,) = (await owner.get("/api/v1/tests")).json()["tests"]
    refused = {
        "code": "worker_limit_exceeded",
        "message": "Worker limit exceeded. Your plan allows up to 5 workers.",
    }
    message = "The scheduler came to it 3600 s late, and makes up for no more than 300 s."
    none: dict[str, Any] = {"test_id": None, "code": None, "message": None}
    assert shown["firings"] == [
        none | {"fire_time": schedule["next_runs"][2], "status": "missed", "message": message},
        none | {"fire_time": schedule["next_runs"][1], "status": "refused"} | refused,
        none | {"fire_time": schedule["next_runs"][0], "status": "fired", "test_id": test["id"]},
    ]
    assert shown["last_test_id"] == test["id"]
    assert shown["refusal"] == refused | {"in_a_row": 1}
    (listed,) = (await owner.get("/api/v1/schedules")).json()["schedules"]
    assert listed["refusal"] == shown["refusal"]
    assert "firings" not in listed


async def test_a_refusal_is_forgotten_when_the_test_is_changed(
    api: Api, owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    await fire(api, times(schedule)[0], max_workers=5)
    other_name = (await owner.patch(path, json={"timezone": "Europe/Helsinki"})).json()
    assert other_name["refusal"]["in_a_row"] == 1
    changed = (await owner.patch(path, json={"workers": 5})).json()
    assert changed["refusal"] is None
    assert [firing["status"] for firing in changed["firings"]] == ["refused"]


async def test_the_last_20_firings_are_shown(
    api: Api, owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    often = (await owner.patch(path, json={"cron_expression": "* * * * * * *"})).json()
    await fire(api, times(often)[0] + timedelta(seconds=24))
    firings = (await owner.get(path)).json()["firings"]
    assert [firing["status"] for firing in firings] == ["fired"] + ["missed"] * 19


async def test_a_changed_script_is_the_one_that_fires(
    api: Api, owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    script = SCHEDULE["script_content"].replace("one", "two")
    assert (await owner.patch(path, json={"script_content": script})).status_code == 200
    await fire(api, times(schedule)[0])
    (test,) = (await owner.get("/api/v1/tests")).json()["tests"]
    assert test["target_urls"] == ["https://two.example.com"]


async def test_what_the_api_changes_wakes_the_scheduler(
    api: Api, owner: httpx.AsyncClient, schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    woken: list[str] = []

    async def tell(session: Any, channel: str) -> None:
        woken.append(channel)

    monkeypatch.setattr("fusillade.storage.notices.tell", tell)
    for method, where, body, wakes in (
        ("POST", "/api/v1/schedules", SCHEDULE, True),
        ("PATCH", path, {"cron_expression": "0 0 3 * * * *"}, True),
        ("PATCH", path, {"name": "Another"}, False),
        ("POST", f"{path}/pause", None, True),
        ("POST", f"{path}/resume", None, True),
    ):
        woken.clear()
        assert (await owner.request(method, where, json=body)).is_success
        assert woken == (["fusillade_schedules"] if wakes else []), where


async def test_a_trigger_is_told_to_webhooks_and_leaves_the_plan_alone(
    api: Api, owner: httpx.AsyncClient, schedule: Any, poked: list[UUID]
) -> None:
    hook = {"url": "https://receiver.example.com", "events": ["test.scheduled"]}
    assert (await owner.post("/api/v1/webhooks", json=hook)).status_code == 201
    path = f"/api/v1/schedules/{schedule['id']}"
    created = (await owner.post(f"{path}/trigger")).json()
    async with api.store.session() as session:
        (payload,) = await session.scalars(select(WebhookDelivery.payload))
    told = json.loads(payload)
    assert told["event"] == "test.scheduled"
    assert told["data"]["test_id"] == created["test_id"]
    assert told["data"]["schedule_id"] == schedule["id"]
    after = (await owner.get(path)).json()
    assert (after["firings"], after["next_runs"]) == ([], schedule["next_runs"])


async def test_a_schedule_whose_years_are_over_stays_and_fires_no_more(
    api: Api, owner: httpx.AsyncClient, schedule: Any
) -> None:
    last = datetime(2020, 1, 1, tzinfo=UTC)
    async with api.store.session() as session:
        await session.execute(
            update(Schedule).values(cron_expression="0 0 0 1 1 * 2020", next_run_at=last)
        )
    await fire(api, last)
    shown = (await owner.get(f"/api/v1/schedules/{schedule['id']}")).json()
    assert (shown["status"], shown["next_runs"]) == ("active", [])
    assert [firing["status"] for firing in shown["firings"]] == ["fired"]
