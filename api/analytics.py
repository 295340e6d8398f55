"""``/api/v1/analytics``: trends over many runs, and several runs side by side."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.authentication import TestRead
from api.errors import documented
from api.fields import Moment
from api.platform import Session
from api.shown_tests import ComparedTests, ListedTest
from api.tests import brief
from fusillade.errors import NotFound, ValidationFailed
from fusillade.metrics.live import timestamp
from fusillade.storage import sparklines, tests, trends

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

_LONGEST_DAYS = 365
_MOST_COMPARED = 10
_MOST_SPARKLINES = 100
_SPARKLINE_POINTS = 40


class Point(BaseModel):
    """One run."""

    test_id: UUID
    name: str
    timestamp: Annotated[Moment, Field(description="When the run ended")]
    value: float


class Day(BaseModel):
    """All runs of one day (UTC)."""

    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    runs: int
    avg: float
    min: float
    max: float


class Trends(BaseModel):
    """How a metric developed."""

    metric: trends.Metric
    period: str
    target_url: str | None
    total_runs: int
    points: list[Point]
    daily: list[Day]


class Sparkline(BaseModel):
    """One run, drawn small."""

    test_id: UUID
    rps: list[float]
    p95_latency_ms: list[float]


class Sparklines(BaseModel):
    """In the order in which they were asked for."""

    sparklines: list[Sparkline]


@router.get("/trends")
async def list_trends(
    caller: TestRead,
    session: Session,
    metric: trends.Metric = "p95",
    period: Annotated[
        str, Query(description="Days back from now, such as 30d; up to 365d")
    ] = "30d",
    target_url: Annotated[str | None, Query(description="Only runs with this target")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="The most points")] = 1000,
) -> Trends:
    """One point for each completed run, oldest first, and one bucket for each day (UTC).

    Latencies are in milliseconds, ``error_rate`` is between 0 and 1. If there are more runs than
    ``limit``, the points are those of the newest; the daily buckets always cover all.
    """
    scope: dict[str, Any] = {
        "metric": metric,
        "days": _days(period),
        "now": datetime.now(UTC),
        "target_url": target_url,
    }
    points = await trends.runs(session, caller.organisation_id, limit=limit, **scope)
    days = await trends.daily(session, caller.organisation_id, **scope)
    return Trends(
        metric=metric,
        period=period,
        target_url=target_url,
        total_runs=sum(day.runs for day in days),
        points=[
            Point(
                test_id=run.id,
                name=run.name,
                timestamp=timestamp(run.finished_at),
                value=run.value,
            )
            for run in points
        ],
        daily=[
            Day(
                date=day.day.date().isoformat(),
                runs=day.runs,
                avg=round(day.avg, 6),
                min=day.min,
                max=day.max,
            )
            for day in days
        ],
    )


@router.get("/sparklines", responses=documented(NotFound))
async def list_sparklines(
    caller: TestRead,
    session: Session,
    test_ids: Annotated[str, Query(description="Up to 100 ids, separated by commas")],
) -> Sparklines:
    """Runs drawn small, for lists (an extension of the reference): each in at most 40 points, in
    the order in which they are asked for. They are empty before a test has results."""
    ids = _ids(test_ids, _MOST_SPARKLINES, "drawn")
    await tests.need(session, ids, caller.organisation_id)
    found = await sparklines.of(session, ids, _SPARKLINE_POINTS)
    return Sparklines(
        sparklines=[
            Sparkline(test_id=one, rps=rates, p95_latency_ms=latencies)
            for one in ids
            for rates, latencies in [found.get(one, ([], []))]
        ]
    )


@router.get("/compare", responses=documented(NotFound))
async def compare_runs(
    caller: TestRead,
    session: Session,
    test_ids: Annotated[str, Query(description="Up to 10 ids, separated by commas")],
) -> ComparedTests:
    """Up to 10 runs side by side, in the order in which they are asked for."""
    found = [
        await tests.get(session, one, caller.organisation_id)
        for one in _ids(test_ids, _MOST_COMPARED, "compared")
    ]
    return ComparedTests(tests=[ListedTest(**brief(test)) for test in found])


def _days(period: str) -> int:
    match = re.fullmatch(r"(\d{1,4})d", period)
    if match is None or not 1 <= int(match[1]) <= _LONGEST_DAYS:
        raise ValidationFailed(
            f"period: {period!r} is not a number of days from 1d to {_LONGEST_DAYS}d."
        )
    return int(match[1])


def _ids(text: str, most: int, verb: str) -> list[UUID]:
    ids = []
    for part in text.split(","):
        try:
            ids.append(UUID(part.strip()))
        except ValueError as error:
            raise ValidationFailed(
                f"test_ids: {part.strip()!r} is not the id of a test."
            ) from error
    ids = list(dict.fromkeys(ids))
    if len(ids) > most:
        raise ValidationFailed(f"test_ids: at most {most} tests can be {verb}.")
    return ids
