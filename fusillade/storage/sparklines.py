"""Runs drawn small: their series in a few points."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_QUERY = text(
    """
    SELECT test_id,
           floor((place - 1) * :most / greatest(:most, jsonb_array_length(points)))::int AS part,
           avg((point ->> 'rps')::float8) AS rps,
           avg((point ->> 'p95_latency_ms')::float8) AS p95_latency_ms
      FROM test_series,
           LATERAL jsonb_array_elements(points) WITH ORDINALITY AS seconds(point, place)
     WHERE test_id = ANY(:ids)
     GROUP BY test_id, part
     ORDER BY test_id, part
    """
)


async def of(
    session: AsyncSession, test_ids: Sequence[UUID], most: int
) -> dict[UUID, tuple[list[float], list[float]]]:
    """For each test that has a series: requests/s and p95 latencies in milliseconds, of ``most``
    parts of the run that are equally long, or of each second of a shorter one."""
    found: dict[UUID, tuple[list[float], list[float]]] = {}
    rows: Sequence[Any] = (
        await session.execute(_QUERY, {"ids": list(test_ids), "most": most})
    ).all()
    for row in rows:
        rates, latencies = found.setdefault(row.test_id, ([], []))
        rates.append(round(row.rps, 1))
        latencies.append(round(row.p95_latency_ms, 3))
    return found
