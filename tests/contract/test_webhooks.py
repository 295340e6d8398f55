"""The reference's section Webhooks: each row of its tables, each of its examples.

Its example "Verify signature (Node.js)" runs in ``tests/fusillade/webhooks/test_signature.py``.
"""

import json
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from references import example

CREATE = r"""
curl -X POST https://api.fusillade.io/api/v1/webhooks \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://your-server.com/webhook",
    "events": ["test.completed", "test.failed", "test.ready"]
  }'
"""
DELIVERY = """
{
  "event": "test.completed",
  "timestamp": "2026-02-06T12:00:00Z",
  "data": {
    "test_id": "550e8400-...",
    "name": "API Load Test",
    "status": "completed",
    "workers": 100,
    "duration_seconds": 60,
    "p95_latency_ms": 42,
    "error_rate": 0.001,
    "target_urls": ["https://api.example.com"],
    "threshold_results": null
  }
}
"""
OURS = {"failing_since": None, "disabled_reason": None}
"""What lists show besides what the creation has answered."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
async def webhook(owner: httpx.AsyncClient) -> Any:
    """What the reference's example has created."""
    answer = await example(CREATE).send(owner)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_example_create_webhook(webhook: Any) -> None:
    assert list(webhook) == ["id", "url", "events", "secret", "active", "created_at"]
    assert UUID(webhook["id"])
    assert webhook["url"] == "https://your-server.com/webhook"
    assert webhook["events"] == ["test.completed", "test.failed", "test.ready"]
    assert webhook["secret"].startswith("whsec_")
    assert webhook["active"] is True
    assert MOMENT.fullmatch(webhook["created_at"])


async def test_example_webhook_delivery(owner: httpx.AsyncClient, webhook: Any) -> None:
    answer = await owner.post(f"/api/v1/webhooks/{webhook['id']}/test")
    payload, printed = answer.json()["payload"], json.loads(DELIVERY)
    assert list(payload) == list(printed)
    assert list(payload["data"]) == list(printed["data"])
    for name, value in printed["data"].items():
        assert type(payload["data"][name]) is type(value)
    assert (payload["event"], payload["data"]["status"]) == ("test.completed", "completed")
    assert MOMENT.fullmatch(payload["timestamp"])


@pytest.mark.parametrize(
    "event",
    [
        "test.completed",
        "test.failed",
        "test.started",
        "test.ready",
        "test.threshold_breached",
        "test.scheduled",
    ],
)
async def test_event(owner: httpx.AsyncClient, event: str) -> None:
    body = {"url": "https://your-server.com/webhook", "events": [event]}
    webhook = (await owner.post("/api/v1/webhooks", json=body)).json()
    assert webhook["events"] == [event]
    delivery = (await owner.post(f"/api/v1/webhooks/{webhook['id']}/test")).json()
    assert delivery["event"] == delivery["payload"]["event"] == event


async def test_post_webhooks_creates_a_webhook_endpoint(
    owner: httpx.AsyncClient, webhook: Any
) -> None:
    again = (await owner.post("/api/v1/webhooks", json=example(CREATE).body)).json()
    assert again["id"] != webhook["id"]
    assert again["secret"] != webhook["secret"]


async def test_get_webhooks_lists_webhook_endpoints(owner: httpx.AsyncClient, webhook: Any) -> None:
    answer = (await owner.get("/api/v1/webhooks")).json()
    del webhook["secret"]
    assert answer == {"webhooks": [webhook | OURS], "total": 1, "limit": 20, "next_cursor": None}


async def test_patch_webhooks_id_updates_a_webhook(owner: httpx.AsyncClient, webhook: Any) -> None:
    del webhook["secret"]
    changes = {"url": "https://other.example.com/", "events": ["test.started"], "active": False}
    answer = await owner.patch(f"/api/v1/webhooks/{webhook['id']}", json=changes)
    assert answer.status_code == 200
    changed = webhook | OURS | changes
    assert answer.json() == changed
    assert (await owner.get("/api/v1/webhooks")).json()["webhooks"] == [changed]


async def test_delete_webhooks_id_deletes_a_webhook_endpoint(
    owner: httpx.AsyncClient, webhook: Any
) -> None:
    path = f"/api/v1/webhooks/{webhook['id']}"
    await owner.post(f"{path}/test")
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get("/api/v1/webhooks")).json()["total"] == 0
    assert (await owner.delete(path)).json()["code"] == "not_found"


async def test_get_webhooks_id_deliveries_lists_recent_deliveries(
    owner: httpx.AsyncClient, webhook: Any
) -> None:
    path = f"/api/v1/webhooks/{webhook['id']}"
    assert (await owner.get(f"{path}/deliveries")).json()["deliveries"] == []
    sent = [(await owner.post(f"{path}/test")).json() for _ in range(3)]
    listed = (await owner.get(f"{path}/deliveries")).json()
    assert listed == {
        "deliveries": sent[::-1],
        "total": 3,
        "limit": 20,
        "next_cursor": None,
    }


async def test_post_webhooks_id_test_sends_a_test_delivery(
    owner: httpx.AsyncClient, webhook: Any
) -> None:
    answer = await owner.post(f"/api/v1/webhooks/{webhook['id']}/test")
    assert answer.status_code == 202
    delivery = answer.json()
    assert (delivery["status"], delivery["attempts"]) == ("pending", 0)
    assert delivery["next_attempt_at"] is not None
    for name in ("response_status", "duration_ms", "response_body", "error"):
        assert delivery[name] is None


@pytest.mark.parametrize(
    "url",
    [
        "http://your-server.com/webhook",
        "https://10.0.0.1/webhook",
        "https://localhost/webhook",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_security_webhook_urls_must_be_https_and_not_private(
    owner: httpx.AsyncClient, webhook: Any, url: str
) -> None:
    body = {"url": url, "events": ["test.completed"]}
    created = await owner.post("/api/v1/webhooks", json=body)
    changed = await owner.patch(f"/api/v1/webhooks/{webhook['id']}", json={"url": url})
    for answer in (created, changed):
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert (await owner.get("/api/v1/webhooks")).json()["total"] == 1
