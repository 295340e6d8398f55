"""Tests that have already run, put straight into the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from fusillade.metrics.aggregate import Aggregate
from fusillade.storage.database import Database
from fusillade.storage.models import Test, User


async def stored_test(
    store: Database, user: User, *, days_ago: float = 0.0, summary: Any = None, **more: Any
) -> Test:
    """A completed test of the user's organisation; ``summary`` changes some of its numbers."""
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    empty = msgspec.to_builtins(Aggregate().summary())
    fields: dict[str, Any] = {
        "name": "A test",
        "status": "completed",
        "workers": 10,
        "duration_seconds": 60,
        "region": "eu-hel1",
        "entry": "script.js",
        "env": {},
        "options": {},
        "warnings": [],
        "target_urls": ["https://api.example.com"],
        "summary": empty | (summary or {}),
        "created_at": moment,
        "started_at": moment,
        "finished_at": moment,
    }
    test = Test(organisation_id=user.organisation_id, created_by=user.id, **(fields | more))
    async with store.session() as session:
        session.add(test)
        await session.flush()
    return test
