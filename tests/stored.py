"""Tests that have already run, put straight into the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS
from fusillade.storage import tests
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


async def measured_test(store: Database, user: User, **more: Any) -> Test:
    """A stored test with the results of one second: two requests and a check."""
    recorder = Recorder()
    recorder.define_series(
        0, {"name": "GET /", "method": "GET", "scenario": "default", "group": ""}
    )
    request = {"series": 0.0, "status": 200.0, "duration": 5.0}
    row = np.array([[request.get(column, 0.0) for column in REQUEST_COLUMNS]])
    for _ in range(2):
        recorder.record_requests(row)
    recorder.add_check("ok", 1, 0, {"group": ""})
    recorder.set_active_workers({"default": 1})
    aggregate = Aggregate(regions=["eu-hel1", "us-east-1"])
    aggregate.merge(0, recorder.take_delta(1, 0, 1.0))
    summary = msgspec.to_builtins(aggregate.summary())
    test = await stored_test(store, user, summary=summary, **more)
    async with store.session() as session:
        await tests.save_series(session, test.id, aggregate.series_points())
    return test
