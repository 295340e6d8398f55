"""The reference's section Schedules: each row of its table, each of its examples."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from references import example

CREATE = r"""
curl -X POST https://api.fusillade.io/api/v1/schedules \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Nightly API Test",
    "script_content": "export default function() { http.get("https://api.example.com/health"); }",
    "workers": 50,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "cron_expression": "0 0 2 * * * *",
    "timezone": "UTC"
  }'
"""


@pytest.fixture
async def schedule(owner: httpx.AsyncClient) -> Any:
    """What the reference's example has created."""
    answer = await example(CREATE).send(owner)
    assert answer.status_code == 201, answer.text
    return answer.json()


def moments(schedule: Any) -> list[datetime]:
    """The next times."""
    return [datetime.fromisoformat(text) for text in schedule["next_runs"]]


async def test_example_create_schedule(schedule: Any) -> None:
    assert UUID(schedule["id"])
    assert {name: schedule[name] for name in example(CREATE).body} == example(CREATE).body
    assert (schedule["status"], schedule["active"]) == ("active", True)
    assert (schedule["last_run_at"], schedule["last_test_id"]) == (None, None)
    times = moments(schedule)
    assert [time.hour for time in times] == [2] * 5
    assert timedelta(0) < times[0] - datetime.now(UTC) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "is_due"),
    [
        ("0 0 2 * * * *", lambda t: t.hour == 2),
        ("0 0 */6 * * * *", lambda t: t.hour % 6 == 0),
        ("0 0 9 * * Mon *", lambda t: t.hour == 9 and t.weekday() == 0),
        ("0 0 0 1 * * *", lambda t: t.hour == 0 and t.day == 1),
    ],
)
async def test_example_cron_format(owner: httpx.AsyncClient, expression: str, is_due: Any) -> None:
    body = example(CREATE).body | {"cron_expression": expression}
    times = moments((await owner.post("/api/v1/schedules", json=body)).json())
    assert len(times) == 5
    assert all(is_due(time) and time.minute == time.second == 0 for time in times)


async def test_post_schedules_creates_a_schedule(owner: httpx.AsyncClient, schedule: Any) -> None:
    again = await owner.post("/api/v1/schedules", json=example(CREATE).body)
    assert again.status_code == 201
    assert again.json()["id"] != schedule["id"]


async def test_get_schedules_lists_schedules(owner: httpx.AsyncClient, schedule: Any) -> None:
    answer = (await owner.get("/api/v1/schedules")).json()
    del schedule["script_content"], schedule["firings"]
    assert answer == {"schedules": [schedule], "total": 1, "limit": 20, "next_cursor": None}


async def test_get_schedules_id_gets_schedule_details(
    owner: httpx.AsyncClient, schedule: Any
) -> None:
    answer = await owner.get(f"/api/v1/schedules/{schedule['id']}")
    assert (answer.status_code, answer.json()) == (200, schedule)


async def test_patch_schedules_id_updates_a_schedule(
    owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    changes = {"cron_expression": "0 30 3 * * * *", "timezone": "Asia/Kolkata", "workers": 5}
    answer = await owner.patch(path, json=changes)
    assert answer.status_code == 200
    changed = answer.json()
    assert {name: changed[name] for name in changes} == changes
    assert [(time.hour, time.minute) for time in moments(changed)] == [(22, 0)] * 5
    assert (await owner.get(path)).json() == changed


async def test_delete_schedules_id_deletes_a_schedule(
    owner: httpx.AsyncClient, schedule: Any
) -> None:
    path = f"/api/v1/schedules/{schedule['id']}"
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).json()["code"] == "not_found"


async def test_post_schedules_id_pause_pauses_a_schedule(
    owner: httpx.AsyncClient, schedule: Any
) -> None:
    answer = await owner.post(f"/api/v1/schedules/{schedule['id']}/pause")
    assert answer.status_code == 200
    paused = answer.json()
    assert (paused["status"], paused["active"], paused["next_runs"]) == ("paused", False, [])


async def test_post_schedules_id_resume_resumes_a_paused_schedule(
    owner: httpx.AsyncClient, schedule: Any
) -> None:
    await owner.post(f"/api/v1/schedules/{schedule['id']}/pause")
    answer = await owner.post(f"/api/v1/schedules/{schedule['id']}/resume")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["next_runs"]) == (
        "active",
        schedule["next_runs"],
    )


async def test_post_schedules_id_trigger_triggers_immediate_execution(
    owner: httpx.AsyncClient, schedule: Any, poked: list[UUID]
) -> None:
    answer = await owner.post(f"/api/v1/schedules/{schedule['id']}/trigger")
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"test_id": created["test_id"], "status": "provisioning"}
    assert poked == [UUID(created["test_id"])]
    test = (await owner.get(f"/api/v1/tests/{created['test_id']}")).json()
    assert (test["name"], test["workers"]) == ("Nightly API Test", 50)
    after = (await owner.get(f"/api/v1/schedules/{schedule['id']}")).json()
    assert after["last_test_id"] == created["test_id"]
    assert after["last_run_at"] is not None
    assert after["next_runs"] == schedule["next_runs"]
