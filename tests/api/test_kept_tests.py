"""Templates and schedules: what is refused, and to whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from apis import Api, settings_for

from api.app import build_app
from fusillade.storage.database import Database

SCRIPT = "export default function () { http.get('https://api.example.com/'); }"
TEMPLATE: dict[str, Any] = {
    "name": "Smoke",
    "script_content": SCRIPT,
    "workers": 10,
    "duration_seconds": 30,
}
SCHEDULE = TEMPLATE | {"cron_expression": "0 0 2 * * * *"}
KINDS = [("templates", TEMPLATE), ("schedules", SCHEDULE)]


IMPOSSIBLE: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "validation_error", "name"),
    ({"name": " "}, "validation_error", "name"),
    ({"name": "a\0b"}, "validation_error", "name"),
    ({"script_content": None}, "validation_error", "script_content"),
    ({"script_content": "  \n"}, "validation_error", "script_content: is empty"),
    ({"script_content": SCRIPT + "//\0"}, "validation_error", "NUL"),
    ({"script_content": "export default function ("}, "invalid_script", "script.js:1"),
    ({"script_content": "export const a = 1;"}, "invalid_script", "default export"),
    ({"script_content": "//" + "x" * (1 << 20)}, "script_too_large", "1,048,576"),
    ({"workers": 0}, "validation_error", "workers"),
    ({"workers": "many"}, "validation_error", "workers"),
    ({"workers": 10**30}, "worker_limit_exceeded", "up to"),
    ({"duration_seconds": 0}, "validation_error", "duration_seconds"),
    ({"duration_seconds": 10**9}, "duration_limit_exceeded", "up to"),
    ({"region": "moon-1"}, "region_restricted", "moon-1"),
]


TIMELESS: list[tuple[dict[str, Any], str]] = [
    ({"cron_expression": "0 2 * * *"}, "seven fields"),
    ({"cron_expression": "0 0 25 * * * *"}, "hour: 25"),
    ({"cron_expression": "0 0 0 31 2 * *"}, "no time that is to come"),
    ({"cron_expression": "0 0 0 1 1 * 2020"}, "no time that is to come"),
    ({"cron_expression": "0 0 0 * * * *\0"}, "year"),
    ({"timezone": "Mars/Phobos"}, "no time zone"),
    ({"timezone": "../../etc/passwd"}, "no time zone"),
]


@pytest.fixture
async def small(database_url: str, store: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose organisations may have two of each kind."""
    few: dict[str, Any] = {"max_templates": 2, "max_schedules": 2, "data_dir": tmp_path}
    app = build_app(settings_for(database_url, **few))
    async with app.router.lifespan_context(app):
        yield Api(app, store, tmp_path)


@pytest.mark.parametrize(("kind", "body"), KINDS)
async def test_what_no_test_could_be_is_not_kept(
    owner: httpx.AsyncClient, kind: str, body: Any
) -> None:
    path = f"/api/v1/{kind}"
    for change, code, words in IMPOSSIBLE:
        answer = await owner.post(path, json=body | change)
        assert answer.json()["code"] == code, change
        assert words in answer.json()["error"]
    assert (await owner.get(path)).json()["total"] == 0


@pytest.mark.parametrize(("kind", "body"), KINDS)
async def test_a_change_is_checked_like_a_creation(
    owner: httpx.AsyncClient, kind: str, body: Any
) -> None:
    created = (await owner.post(f"/api/v1/{kind}", json=body)).json()
    path = f"/api/v1/{kind}/{created['id']}"
    for change, code in (
        ({"script_content": "export default function ("}, "invalid_script"),
        ({"workers": 10**9}, "worker_limit_exceeded"),
        ({"workers": 0}, "validation_error"),
        ({"region": "moon-1"}, "region_restricted"),
    ):
        answer = await owner.patch(path, json={"name": "Changed"} | change)
        assert answer.json()["code"] == code
    assert (await owner.get(path)).json() == created
    assert (await owner.patch(path, json={"name": None})).json()["name"] == "Smoke"
    assert (await owner.patch(path, json={"name": "Other"})).json()["name"] == "Other"


async def test_times_that_cannot_be_read_or_never_come_are_refused(
    owner: httpx.AsyncClient,
) -> None:
    created = (await owner.post("/api/v1/schedules", json=SCHEDULE)).json()
    path = f"/api/v1/schedules/{created['id']}"
    for change, words in TIMELESS:
        for answer in (
            await owner.post("/api/v1/schedules", json=SCHEDULE | change),
            await owner.patch(path, json=change),
        ):
            assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
            assert words in answer.json()["error"]
    assert (await owner.get(path)).json() == created


async def test_a_schedule_is_paused_and_resumed_only_once(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/api/v1/schedules", json=SCHEDULE)).json()
    path = f"/api/v1/schedules/{created['id']}"
    assert (await owner.post(f"{path}/resume")).json()["code"] == "invalid_state"
    both = await asyncio.gather(*[owner.post(f"{path}/pause") for _ in range(2)])
    assert sorted(answer.status_code for answer in both) == [200, 400]
    assert (await owner.post(f"{path}/pause")).json()["code"] == "invalid_state"
    assert (await owner.patch(path, json={"active": True})).json()["status"] == "active"


async def test_a_paused_schedule_can_be_triggered(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    created = (await owner.post("/api/v1/schedules", json=SCHEDULE)).json()
    path = f"/api/v1/schedules/{created['id']}"
    await owner.post(f"{path}/pause")
    assert (await owner.post(f"{path}/trigger")).status_code == 201
    assert len(poked) == 1
    assert (await owner.get(path)).json()["status"] == "paused"


async def test_overrides_are_held_to_the_limits_too(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    created = (await owner.post("/api/v1/templates", json=TEMPLATE)).json()
    path = f"/api/v1/templates/{created['id']}/run"
    for overrides, code in (
        ({"workers": 10**9}, "worker_limit_exceeded"),
        ({"duration_seconds": 10**9}, "duration_limit_exceeded"),
        ({"region": "moon-1"}, "region_restricted"),
        ({"workers": -1}, "validation_error"),
        ([], "validation_error"),
    ):
        assert (await owner.post(path, json=overrides)).json()["code"] == code
    assert poked == []
    answer = await owner.post(path, json={"name": "Mine", "region": "us-east-1"})
    test = (await owner.get(f"/api/v1/tests/{answer.json()['test_id']}")).json()
    assert (test["name"], test["region"], test["workers"]) == ("Mine", "us-east-1", 10)


async def test_tests_outlive_what_made_them(owner: httpx.AsyncClient, poked: list[UUID]) -> None:
    template = (await owner.post("/api/v1/templates", json=TEMPLATE)).json()["id"]
    schedule = (await owner.post("/api/v1/schedules", json=SCHEDULE)).json()["id"]
    made = [
        (await owner.post(f"/api/v1/templates/{template}/run")).json()["test_id"],
        (await owner.post(f"/api/v1/schedules/{schedule}/trigger")).json()["test_id"],
    ]
    assert (await owner.delete(f"/api/v1/tests/{made[1]}")).status_code == 204
    assert (await owner.get(f"/api/v1/schedules/{schedule}")).json()["last_test_id"] is None
    for path in (f"templates/{template}", f"schedules/{schedule}"):
        assert (await owner.delete(f"/api/v1/{path}")).status_code == 204
    assert (await owner.get(f"/api/v1/tests/{made[0]}")).status_code == 200


@pytest.mark.parametrize(("kind", "body"), KINDS)
async def test_no_more_are_kept_than_the_plan_allows_also_when_two_race(
    small: Api, kind: str, body: Any
) -> None:
    await small.user("owner@acme.test")
    async with await small.log_in("owner@acme.test") as owner:
        path = f"/api/v1/{kind}"
        answers = await asyncio.gather(*[owner.post(path, json=body) for _ in range(4)])
        assert sorted(answer.status_code for answer in answers) == [201, 201, 403, 403]
        refused = next(answer for answer in answers if answer.status_code == 403).json()
        assert refused["code"] == "limit_exceeded"
        assert refused["error"].endswith(f"Your plan allows up to 2 {kind}.")
        listed = (await owner.get(path)).json()
        assert listed["total"] == 2
        await owner.delete(f"{path}/{listed[kind][0]['id']}")
        assert (await owner.post(path, json=body)).status_code == 201


async def test_the_lists_are_newest_first_and_come_in_pages(owner: httpx.AsyncClient) -> None:
    webhook = {"url": "https://your-server.com/", "events": ["test.failed"]}
    for kind, body in (*KINDS, ("webhooks", webhook)):
        path = f"/api/v1/{kind}"
        made = [(await owner.post(path, json=body)).json()["id"] for _ in range(3)]
        first = (await owner.get(path, params={"limit": 2})).json()
        await owner.post(path, json=body)
        cursor = first["next_cursor"]
        second = (await owner.get(path, params={"limit": 2, "cursor": cursor})).json()
        assert [row["id"] for row in first[kind] + second[kind]] == made[::-1]
        assert second["next_cursor"] is None
        for bad in ("abc", "W10=", "WzEsMl0=", "WyIyMDI2LTAxLTAxIiwgMV0="):
            answer = await owner.get(path, params={"cursor": bad})
            assert answer.json()["code"] == "validation_error"


async def test_what_belongs_to_others_is_not_found(api: Api, owner: httpx.AsyncClient) -> None:
    await api.user("other@rival.test", "Rival")
    webhook = {"url": "https://your-server.com/", "events": ["test.failed"]}
    actions = {
        "templates": ["run"],
        "schedules": ["pause", "resume", "trigger"],
        "webhooks": ["test"],
    }
    async with await api.log_in("other@rival.test") as other:
        for kind, body in (*KINDS, ("webhooks", webhook)):
            of_owner = (await owner.post(f"/api/v1/{kind}", json=body)).json()["id"]
            for row in (of_owner, uuid4()):
                path = f"/api/v1/{kind}/{row}"
                requests = [("PATCH", path), ("DELETE", path)]
                requests += [("POST", f"{path}/{action}") for action in actions[kind]]
                requests += [("GET", f"{path}/deliveries" if kind == "webhooks" else path)]
                for method, url in requests:
                    sent = {} if method == "PATCH" else None
                    answer = await other.request(method, url, json=sent)
                    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            assert (await other.get(f"/api/v1/{kind}")).json()["total"] == 0
            assert (await owner.get(f"/api/v1/{kind}")).json()["total"] == 1


async def test_keys_may_do_what_their_scope_says(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    webhook = {"url": "https://your-server.com/", "events": ["test.failed"]}
    template = (await owner.post("/api/v1/templates", json=TEMPLATE)).json()["id"]
    schedule = (await owner.post("/api/v1/schedules", json=SCHEDULE)).json()["id"]
    requests = [
        ("GET", "/api/v1/templates", None),
        ("GET", f"/api/v1/schedules/{schedule}", None),
        ("GET", "/api/v1/webhooks", None),
        ("POST", f"/api/v1/templates/{template}/run", {}),
        ("POST", f"/api/v1/schedules/{schedule}/trigger", None),
        ("POST", f"/api/v1/schedules/{schedule}/pause", None),
        ("PATCH", f"/api/v1/templates/{template}", {"workers": 1}),
        ("POST", "/api/v1/webhooks", webhook),
    ]
    statuses = {}
    for scope in ("read", "test:read", "test:create", "full"):
        key = (await owner.post("/api/v1/keys", json={"name": "k", "scopes": [scope]})).json()
        async with api.client(key["key"]) as client:
            answers = [await client.request(m, path, json=body) for m, path, body in requests]
        statuses[scope] = [answer.status_code for answer in answers]
    reading = [200, 200, 200]
    assert statuses == {
        "read": [*reading, 403, 403, 403, 403, 403],
        "test:read": [*reading, 403, 403, 403, 403, 403],
        "test:create": [*reading, 201, 201, 403, 403, 403],
        "full": [*reading, 201, 201, 200, 200, 201],
    }


async def test_half_a_character_is_refused_in_every_field(owner: httpx.AsyncClient) -> None:
    for name in ("name", "description", "script_content", "region", "cron_expression", "timezone"):
        kind = "schedules" if name in ("cron_expression", "timezone") else "templates"
        body = SCHEDULE | {name: SCHEDULE.get(name, "") + "\ud800"}
        answer = await owner.post(
            f"/api/v1/{kind}",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error"), name
