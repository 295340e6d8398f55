"""A test's MetricsAggregator, as its TestRunActor speaks to it."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from ray.exceptions import RayActorError

from actors import metrics_aggregator, names, placement
from actors.config import Watching
from actors.metrics_aggregator import Result
from fusillade.metrics.thresholds import Threshold

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5
_TRY_SECONDS = 2.0


class MetricsLink:
    """Nobody is there before ``open``."""

    def __init__(self, test_id: str, journal: Path, watching: Watching) -> None:
        self._id = test_id
        self._name = names.metrics(test_id)
        self._journal = journal
        self._watching = watching
        self._of: tuple[list[str], list[Threshold], str] | None = None

    def open(self, regions: list[str], thresholds: list[Threshold], name: str) -> None:
        """Have an aggregator, the one that is there already if there is one; ``regions``: of each
        share; ``name``: of the test."""
        self._of = (regions, thresholds, name)
        metrics_aggregator.remote.options(
            **names.options(self._name, **metrics_aggregator.OPTIONS)
        ).remote(self._id, regions, thresholds, self._journal, name, self._watching)

    async def ask(self, method: str, *arguments: Any) -> Any:
        """What it answers; waits while it is being restarted."""
        while True:
            handle = placement.find(self._name)
            try:
                if handle is not None:
                    return await getattr(handle, method).remote(*arguments)
            except RayActorError as error:
                _log.warning("test %s: its metrics cannot be reached: %s", self._id, error)
            else:
                assert self._of is not None, "open() comes first"
                self.open(*self._of)
            await asyncio.sleep(_RETRY_SECONDS)

    async def try_to_ask(self, method: str, *arguments: Any) -> Any:
        """What it answers if it does so in a moment, else None."""
        handle = placement.find(self._name)
        if handle is None:
            return None
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                return await getattr(handle, method).remote(*arguments)
        except (RayActorError, TimeoutError) as error:
            _log.info("test %s: %s was not answered: %r", self._id, method, error)
            return None

    async def result(self) -> Result:
        """Everything that has been merged."""
        result: Result = await self.ask("result")
        return result

    def close(self) -> None:
        """End it for good."""
        placement.kill(self._name)
