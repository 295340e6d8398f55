"""The result of a test as it is stored, once it has ended."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from fusillade.durations import show_duration
from fusillade.failures.record import FailedRequest
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.summary import Summary
from fusillade.reports.result import Result
from fusillade.script.planned import counted
from fusillade.storage.models import Test


def stored_result(
    test: Test, points: Sequence[dict[str, Any]], failures: Sequence[FailedRequest] = ()
) -> Result:
    """A test that has ended, with its series and failed requests. One that never ran has measured
    nothing; one that was cancelled counts as failed, since it says nothing about its target."""
    if test.summary is None:
        summary = Aggregate().summary()
    else:
        summary = msgspec.convert(test.summary, Summary)
    workers, duration = counted(test.workers, "worker"), show_duration(test.duration_seconds)
    return Result(
        name=test.name,
        started_at=_started_at(test),
        summary=summary,
        points=points,
        failed=test.status in ("failed", "cancelled"),
        reason=test.reason,
        scenarios=[f"{workers} for {duration} in {test.region}"],
        failures=failures,
        test_id=str(test.id),
    )


def _started_at(test: Test) -> datetime:
    """When the load began; for a test that never ran, when it was created."""
    if test.start_at is not None:
        return datetime.fromtimestamp(test.start_at, UTC)
    return test.started_at or test.created_at
