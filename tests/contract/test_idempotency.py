"""The reference's section Idempotency: its example, its sentences, its error code."""

from typing import Any
from uuid import UUID

import httpx
import pytest

SCRIPT = "export default function () { http.get('https://api.example.com/health'); }"
TEMPLATE = {"name": "T", "script_content": SCRIPT, "workers": 1, "duration_seconds": 60}
WEBHOOK = {"url": "https://your-server.com/webhook", "events": ["test.completed"]}


async def _create_test(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """The reference's curl command."""
    return await client.post(
        "/api/v1/tests",
        headers={"Idempotency-Key": key},
        data={"name": "Load Test", "workers": "100", "duration": "60"},
        files={"script": ("test.js", SCRIPT.encode())},
    )


async def test_example_idempotent_request(owner: httpx.AsyncClient, poked: list[UUID]) -> None:
    answers = [await _create_test(owner, "my-unique-key-123") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["test_id"] for answer in answers}) == 1
    assert set(poked) == {UUID(answers[0].json()["test_id"])}


@pytest.mark.parametrize(("kind", "body"), [("webhooks", WEBHOOK), ("templates", TEMPLATE)])
async def test_supported_on_webhook_creation_and_template_creation(
    owner: httpx.AsyncClient, kind: str, body: Any
) -> None:
    headers = {"Idempotency-Key": "550e8400-e29b-41d4-a716-446655440000"}
    first, again = [await owner.post(f"/api/v1/{kind}", headers=headers, json=body) for _ in "ab"]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_maximum_256_characters_or_idempotency_error(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    assert (await _create_test(owner, "k" * 256)).status_code == 201
    for key in ("k" * 257, "", "a\x01b"):
        answer = await _create_test(owner, key)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_error")
