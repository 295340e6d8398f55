"""Tests of several regions, through the API: an extension of ours."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from apis import Api
from sqlalchemy import update

from fusillade.storage.models import Organisation, User

SCRIPT = "export default function () { http.get('http://127.0.0.1:9/health'); }"
FORM = {"name": "A test", "workers": "5", "duration": "60", "script": SCRIPT}
KEPT = {"name": "T", "script_content": SCRIPT, "workers": 5, "duration_seconds": 60}
SCHEDULE = KEPT | {"cron_expression": "0 0 2 * * * *"}


async def test_several_regions_are_kept_with_their_weights(
    api: Api, owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    regions = "eu-hel1:60, us-east-1:40"
    answer = await owner.post("/api/v1/tests", data=FORM | {"region": regions})
    assert answer.status_code == 201, answer.text
    shown = (await owner.get(f"/api/v1/tests/{answer.json()['test_id']}")).json()
    assert shown["region"] == "eu-hel1:60,us-east-1:40"
    schedule = await owner.post("/api/v1/schedules", json=SCHEDULE | {"region": regions})
    assert schedule.json()["region"] == "eu-hel1:60,us-east-1:40"
    template = (await owner.post("/api/v1/templates", json=KEPT)).json()
    assert template["region"] == "eu-hel1"
    path = f"/api/v1/templates/{template['id']}"
    changed = await owner.patch(path, json={"region": "us-east-1,ap-sin1"})
    assert changed.json()["region"] == "us-east-1:1,ap-sin1:1"
    run = (await owner.post(f"{path}/run")).json()
    shown = (await owner.get(f"/api/v1/tests/{run['test_id']}")).json()
    assert shown["region"] == "us-east-1:1,ap-sin1:1"


@pytest.mark.parametrize(
    ("region", "code", "words"),
    [
        (
            "eu-hel1:60,moon-1:40",
            "region_restricted",
            "Region moon-1 is not available on your plan",
        ),
        ("eu-hel1:x,us-east-1:40", "validation_error", "'eu-hel1:x' has no weight: it must be"),
        ("eu-hel1:60,us-east-1", "validation_error", "us-east-1 has no weight although others"),
    ],
)
async def test_regions_are_checked_wherever_they_are_given(
    api: Api, owner: httpx.AsyncClient, region: str, code: str, words: str
) -> None:
    answers: dict[str, Any] = {
        "test": await owner.post("/api/v1/tests", data=FORM | {"region": region}),
        "template": await owner.post("/api/v1/templates", json=KEPT | {"region": region}),
        "schedule": await owner.post("/api/v1/schedules", json=SCHEDULE | {"region": region}),
    }
    for kind, answer in answers.items():
        assert answer.json()["code"] == code, kind
        assert words in answer.json()["error"], kind
        assert "region" in answer.json()["error"].lower(), kind


async def test_more_regions_than_workers_are_refused(api: Api, owner: httpx.AsyncClient) -> None:
    form = FORM | {"workers": "1", "region": "eu-hel1:60,us-east-1:40"}
    answer = await owner.post("/api/v1/tests", data=form)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "region: 2 regions need at least 2 workers; the test has 1.",
            "code": "validation_error",
        },
    )


async def test_each_region_must_be_in_the_plan(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    async with api.store.session() as session:
        mine = Organisation.id == user.organisation_id
        await session.execute(update(Organisation).where(mine).values(plan="free"))
    form = FORM | {"region": "eu-hel1:60,us-east-1:40"}
    answer = (await owner.post("/api/v1/tests", data=form)).json()
    assert answer["code"] == "region_restricted"
    assert answer["error"] == (
        "Region us-east-1 is not available on your plan. Your plan allows eu-hel1."
    )
