"""What webhooks are told: the events, and the body of a delivery."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from fusillade.storage.models import Test

Event = Literal[
    "test.completed",
    "test.failed",
    "test.started",
    "test.ready",
    "test.threshold_breached",
    "test.scheduled",
]

_SAMPLE: dict[str, Any] = {
    "test_id": "00000000-0000-0000-0000-000000000000",
    "name": "Test delivery",
    "status": "",
    "workers": 100,
    "duration_seconds": 60,
    "p95_latency_ms": 42,
    "error_rate": 0.001,
    "target_urls": ["https://api.example.com"],
    "threshold_results": None,
}
_STATUS: dict[Event, str] = {
    "test.completed": "completed",
    "test.failed": "failed",
    "test.started": "running",
    "test.ready": "ready",
    "test.threshold_breached": "running",
    "test.scheduled": "provisioning",
}


def body(event: Event, data: Mapping[str, Any], at: datetime) -> str:
    """The JSON that is signed and sent."""
    message = {"event": event, "timestamp": moment(at), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def data_of(event: Event, test: Test) -> dict[str, Any]:
    """What an event says of a test: as much of the result as there is.

    A test that has failed has a ``reason`` besides what the reference lists.
    """
    summary = test.summary or {}
    data = {
        "test_id": str(test.id),
        "name": test.name,
        "status": test.status,
        "workers": test.workers,
        "duration_seconds": test.duration_seconds,
        "p95_latency_ms": summary.get("p95_latency_ms"),
        "error_rate": summary.get("error_rate"),
        "target_urls": test.target_urls,
        "threshold_results": summary.get("thresholds") or None,
    }
    return data | {"reason": test.reason} if event == "test.failed" else data


def sample(event: Event, at: datetime) -> str:
    """A body with invented values, by which a receiver can be tried out.

    It is of a test that cannot be: its id is all zeros.
    """
    data = _SAMPLE | {"status": _STATUS[event]}
    if event == "test.failed":
        data["reason"] = "Nothing has failed: this is a test delivery."
    return body(event, data, at)


def moment(at: datetime) -> str:
    """A time as the reference writes it: ``2026-02-06T12:00:00Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
