"""How the results of an organisation's completed runs developed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.storage.models import Test

Metric = Literal["p95", "avg", "error_rate", "rps"]
COLUMNS = {
    "p95": Test.p95_latency_ms,
    "avg": Test.avg_latency_ms,
    "error_rate": Test.error_rate,
    "rps": Test.rps,
}


async def runs(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    metric: Metric,
    days: int,
    now: datetime,
    target_url: str | None,
    limit: int,
) -> Sequence[Any]:
    """The newest ``limit`` runs of the last ``days`` days, oldest first: rows of ``id``, ``name``,
    ``finished_at``, ``value``."""
    query = _scoped(
        select(Test.id, Test.name, Test.finished_at, COLUMNS[metric].label("value")),
        organisation_id,
        now - timedelta(days=days),
        target_url,
    )
    newest = query.order_by(Test.finished_at.desc(), Test.id.desc()).limit(limit)
    return (await session.execute(newest)).all()[::-1]


async def daily(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    metric: Metric,
    days: int,
    now: datetime,
    target_url: str | None,
) -> Sequence[Any]:
    """A row for each day (UTC) that had runs: ``day``, ``runs``, and ``avg``, ``min`` and ``max``
    of their values."""
    day = func.date_trunc("day", func.timezone("UTC", Test.finished_at)).label("day")
    value = COLUMNS[metric]
    query = _scoped(
        select(
            day,
            func.count().label("runs"),
            func.avg(value).label("avg"),
            func.min(value).label("min"),
            func.max(value).label("max"),
        ),
        organisation_id,
        now - timedelta(days=days),
        target_url,
    )
    return (await session.execute(query.group_by(day).order_by(day))).all()


def _scoped(
    query: Select[*tuple[Any, ...]], organisation_id: UUID, since: datetime, target_url: str | None
) -> Select[*tuple[Any, ...]]:
    query = query.where(
        Test.organisation_id == organisation_id,
        Test.status == "completed",
        Test.finished_at >= since,
        Test.p95_latency_ms.is_not(None),
    )
    if target_url is not None:
        query = query.where(Test.target_urls.contains([target_url]))
    return query
