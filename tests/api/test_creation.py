"""Creating a test: what is stored, and who is told."""

from uuid import UUID

import httpx
import pytest

SCRIPT = "export default function () { http.get('http://127.0.0.1:9/health'); }"


async def test_a_created_test_is_stored_and_its_actor_told(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    form = {"name": "API Load Test", "workers": "3", "duration": "60"}
    answer = await owner.post(
        "/api/v1/tests", data=form, files={"script": ("test.js", SCRIPT.encode())}
    )
    assert answer.status_code == 201
    created = answer.json()
    assert created == {"test_id": created["test_id"], "status": "provisioning"}
    assert poked == [UUID(created["test_id"])]
    test = (await owner.get(f"/api/v1/tests/{created['test_id']}")).json()
    assert (test["workers"], test["duration_seconds"], test["region"]) == (3, 60, "eu-hel1")
    assert test["target_urls"] == ["http://127.0.0.1:9"]


async def test_a_refused_test_is_not_stored(owner: httpx.AsyncClient, poked: list[UUID]) -> None:
    form = {"name": "Bad", "workers": "1", "duration": "60", "script": "export default function ("}
    answer = await owner.post("/api/v1/tests", data=form)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_script")
    assert poked == []
    assert (await owner.get("/api/v1/tests")).json()["total"] == 0


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://[fe80::1]/", "http://metadata.google.internal/"],
)
async def test_nobody_may_test_a_clouds_metadata(
    owner: httpx.AsyncClient, poked: list[UUID], url: str
) -> None:
    form = {"name": "Curious", "workers": "1", "duration": "60", "script": SCRIPT + f"// '{url}'"}
    answer = await owner.post("/api/v1/tests", data=form)
    assert answer.status_code == 201  # what is in a comment is no target
    form["script"] = f"export default function () {{ http.get('{url}'); }}"
    answer = await owner.post("/api/v1/tests", data=form)
    assert (answer.status_code, answer.json()["code"]) == (403, "domain_blocked")
    assert len(poked) == 1
