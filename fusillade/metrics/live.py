"""The WebSocket's messages besides ``metric``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def status_message(
    test_id: str, status: str, reason: str | None, *, paused: bool = False
) -> dict[str, Any]:
    """``status``: the test's state changed, or is this when the connection is made. A running test
    may be ``paused``."""
    return {
        "type": "status",
        "test_id": test_id,
        "status": status,
        "paused": paused,
        "timestamp": timestamp(),
        "reason": reason,
    }


def summary_message(
    test_id: str, status: str, reason: str | None, summary: Mapping[str, Any] | None
) -> dict[str, Any]:
    """``summary``: the final result; the last message of a connection."""
    return {
        "type": "summary",
        "test_id": test_id,
        "status": status,
        "timestamp": timestamp(),
        "reason": reason,
        "summary": summary,
    }


def timestamp(moment: datetime | None = None) -> str:
    """ISO 8601 in UTC with milliseconds and a Z; now, if no moment is given."""
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
