"""The reference's section Templates: each row of its table, each of its examples."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from references import example

CREATE = r"""
curl -X POST https://api.fusillade.io/api/v1/templates \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "API Smoke Test",
    "description": "Quick smoke test for the main API",
    "script_content": "export const options = { workers: 10, duration: "30s" };\nexport default function() { http.get("https://api.example.com/health"); }",
    "workers": 10,
    "duration_seconds": 30,
    "region": "eu-hel1"
  }'
"""
RUN = r"""
curl -X POST https://api.fusillade.io/api/v1/templates/<template_id>/run \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{"workers": 50, "duration_seconds": 120}'
"""
SCRIPT = (
    'export const options = { workers: 10, duration: "30s" };\n'
    'export default function() { http.get("https://api.example.com/health"); }'
)


@pytest.fixture
async def template(owner: httpx.AsyncClient) -> Any:
    """What the reference's example has created."""
    answer = await example(CREATE).send(owner)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_example_create_template(template: Any) -> None:
    assert UUID(template["id"])
    assert template["name"] == "API Smoke Test"
    assert template["description"] == "Quick smoke test for the main API"
    assert template["script_content"] == SCRIPT
    assert (template["workers"], template["duration_seconds"]) == (10, 30)
    assert template["region"] == "eu-hel1"


async def test_example_run_template_with_overrides(
    owner: httpx.AsyncClient, template: Any, poked: list[UUID]
) -> None:
    answer = await example(RUN).send(owner, template_id=template["id"])
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"test_id": created["test_id"], "status": "provisioning"}
    test = (await owner.get(f"/api/v1/tests/{created['test_id']}")).json()
    assert (test["workers"], test["duration_seconds"]) == (50, 120)
    assert (test["name"], test["region"]) == ("API Smoke Test", "eu-hel1")
    assert poked == [UUID(created["test_id"])]


async def test_post_templates_creates_a_template(owner: httpx.AsyncClient, template: Any) -> None:
    again = await owner.post("/api/v1/templates", json=example(CREATE).body)
    assert again.status_code == 201
    assert again.json()["id"] != template["id"]


async def test_get_templates_lists_templates(owner: httpx.AsyncClient, template: Any) -> None:
    answer = (await owner.get("/api/v1/templates")).json()
    del template["script_content"]
    assert answer == {"templates": [template], "total": 1, "limit": 20, "next_cursor": None}


async def test_get_templates_id_gets_template_details(
    owner: httpx.AsyncClient, template: Any
) -> None:
    answer = await owner.get(f"/api/v1/templates/{template['id']}")
    assert (answer.status_code, answer.json()) == (200, template)


async def test_patch_templates_id_updates_a_template(
    owner: httpx.AsyncClient, template: Any
) -> None:
    path = f"/api/v1/templates/{template['id']}"
    answer = await owner.patch(path, json={"workers": 20, "description": ""})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed == template | {
        "workers": 20,
        "description": "",
        "updated_at": changed["updated_at"],
    }
    assert (await owner.get(path)).json() == changed


async def test_delete_templates_id_deletes_a_template(
    owner: httpx.AsyncClient, template: Any
) -> None:
    path = f"/api/v1/templates/{template['id']}"
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).json()["code"] == "not_found"


async def test_post_templates_id_run_runs_a_test_from_a_template(
    owner: httpx.AsyncClient, template: Any, poked: list[UUID]
) -> None:
    answer = await owner.post(f"/api/v1/templates/{template['id']}/run")
    assert answer.status_code == 201
    test = (await owner.get(f"/api/v1/tests/{answer.json()['test_id']}")).json()
    assert (test["workers"], test["duration_seconds"]) == (10, 30)
    assert test["target_urls"] == ["https://api.example.com"]
