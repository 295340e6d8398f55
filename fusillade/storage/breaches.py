"""Thresholds that a run has crossed: webhooks are told of each once, whoever has noticed it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.metrics.summary import ThresholdResult
from fusillade.storage.models import Test
from fusillade.webhooks import outbox


class Breaches(msgspec.Struct, frozen=True):
    """What is crossed, and the run so far: milliseconds, and a share between 0 and 1."""

    results: list[ThresholdResult]
    """Those that do not hold."""
    p95_latency_ms: float
    error_rate: float

    @classmethod
    def of_summary(cls, summary: Mapping[str, Any]) -> "Breaches":
        """What a run has crossed at its end, by its summary as it is stored."""
        results = msgspec.convert(summary["thresholds"], list[ThresholdResult])
        crossed = [result for result in results if not result.ok]
        return cls(crossed, summary["p95_latency_ms"], summary["error_rate"])


async def record(session: AsyncSession, test_id: UUID, breaches: Breaches) -> None:
    """Note the thresholds that have not been noted before, and tell webhooks of each.

    Does nothing for a test that is not running: its end has noted them all.
    """
    for result in breaches.results:
        key = f"{result.metric}: {result.expression}"
        test = await session.scalar(
            update(Test)
            .where(
                Test.id == test_id,
                Test.status == "running",
                ~Test.breached_thresholds.contains([key]),
            )
            .values(breached_thresholds=func.array_append(Test.breached_thresholds, key))
            .returning(Test)
            .execution_options(populate_existing=True)
        )
        if test is not None:
            await outbox.tell(
                session,
                "test.threshold_breached",
                test,
                p95_latency_ms=breaches.p95_latency_ms,
                error_rate=breaches.error_rate,
                threshold_results=[msgspec.to_builtins(result)],
            )
