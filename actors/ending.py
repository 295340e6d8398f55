"""The end of a test: everything that it measured, and the status, in one transaction."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from actors.crew import GONE, Crew, StepFailed
from actors.metrics_aggregator import Result
from actors.metrics_link import MetricsLink
from actors.test_row import TestRow
from actors.worker import Outcome
from fusillade.errors import InvalidState
from fusillade.failures.record import FailedRequest
from fusillade.storage import artifacts, breaches, failures, tests
from fusillade.storage.breaches import Breaches
from fusillade.storage.models import Test

_log = logging.getLogger(__name__)
MOST_LOG_LINES = 200

UnlessEnded = Callable[[Any], Awaitable[Any]]
"""Awaits a step; gives it up when the test is cancelled or deleted."""


class Ending:
    """Of one test."""

    def __init__(
        self,
        test_id: str,
        row: TestRow,
        crew: Crew,
        metrics: MetricsLink,
        unless_ended: UnlessEnded,
    ) -> None:
        self._id = UUID(test_id)
        self._row = row
        self._crew = crew
        self._metrics = metrics
        self._unless_ended = unless_ended

    async def write(
        self,
        status: str,
        reason: str | None = None,
        outcomes: dict[int, Outcome] | None = None,
        *,
        summarize: bool = False,
    ) -> Test:
        """The test as it has ended: like this, or as somebody has ended it before.

        ``outcomes``: of the shares that came to an end; None when the test has not been running.
        ``summarize``: let ``handleSummary()`` look at the result before. Raises
        :class:`NotFound`."""
        values: dict[str, Any] = {"reason": reason}
        series: list[dict[str, Any]] = []
        files: dict[str, str] = {}
        failed: list[FailedRequest] = []
        if outcomes is not None:
            result = await self._result(outcomes)
            log = [line for _, outcome in sorted(outcomes.items()) for line in outcome.log]
            last = Outcome()
            if summarize:
                last = await self._handle_summary(result.summary)
                files = last.artifacts
            values["summary"] = result.summary | {"log": log[:MOST_LOG_LINES] + last.log}
            series = result.series
            failed = result.failures

        async def save(session: AsyncSession) -> Test:
            if outcomes is not None:
                crossed = Breaches.of_summary(values["summary"])
                await breaches.record(session, self._id, crossed)
            ended = await tests.transition(session, self._id, status, **values)
            if outcomes is not None:
                await tests.save_series(session, self._id, series)
                await artifacts.save(session, self._id, files)
                await failures.save(session, self._id, failed)
            return ended

        try:
            return await self._row.stored(save)
        except InvalidState as error:
            _log.info("test %s: %s", self._id, error)
            return await self._row.read()

    async def _result(self, outcomes: dict[int, Outcome]) -> Result:
        """The merged metrics with every delta of every WorkerActor that still lives."""
        while True:
            result = await self._metrics.result()
            behind = [
                one
                for one in self._crew
                if one.index in outcomes
                and result.acknowledged[one.index] < outcomes[one.index].deltas
            ]
            if not behind:
                return result
            # Its journal was lost: everything is sent again.
            for one in behind:
                try:
                    await one.handle.deliver.remote()
                except GONE:
                    outcomes.pop(one.index)

    async def _handle_summary(self, summary: dict[str, Any]) -> Outcome:
        """What ``handleSummary()`` made of the result; where it failed, the log says why."""
        step = self._crew.ask_one(lambda one: one.handle.handle_summary.remote(summary))
        try:
            outcome: Outcome = await self._unless_ended(step)
        except StepFailed as failure:
            return Outcome(log=[f"error: handleSummary() was not run: {failure}"])
        return outcome
