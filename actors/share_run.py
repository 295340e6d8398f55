"""One share of a test's load from its start to its end, whoever runs it.

A WorkerActor that is gone, with its process or with its machine, is succeeded by another: as soon
as there is room for it, on a machine of the share's region. The successor begins in the middle.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ray.exceptions import ActorUnavailableError

from actors.crew import GONE, Crew, Member, plain
from actors.metrics_link import MetricsLink
from actors.worker import Outcome
from fusillade.engine.takeover import FROM_THE_START, Takeover

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.2
MOST_SUCCESSORS = 10
"""Of one share: who needs more is lost for a reason that the next one will meet as well."""


@dataclass(frozen=True)
class Orders:
    """What all shares of a run are told."""

    start_at: float
    setup_data: str
    load: Callable[[Member], Any]
    """Has a WorkerActor load the script."""
    tell_of_pauses: Callable[[Member], Awaitable[None]]
    """Tells a WorkerActor of the pauses that there were and are."""


class ShareRun:
    """Of share ``index``; ``run`` it once."""

    def __init__(self, crew: Crew, index: int, metrics: MetricsLink, orders: Orders) -> None:
        self._crew = crew
        self._index = index
        self._metrics = metrics
        self._orders = orders
        self.is_vacant = False
        """Whether nobody runs it at the moment."""
        self.is_last = False
        """Whether nobody is to succeed who runs it now."""

    async def run(self) -> Outcome:
        """How it ended, by whoever brought it to its end."""
        while True:
            member = self._crew[self._index]
            try:
                if member.handle is not None:
                    return await self._run_on(member)
            except ActorUnavailableError as error:
                # Either its machine is about to be found dead, or it was a moment's trouble.
                _log.info("share %d: %s", self._index, error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except GONE as error:
                _log.warning("share %d was lost: %s", self._index, error)
            if self.is_last:
                return Outcome(reason=self._crew.died(member))
            self.is_vacant = True
            takeover: Takeover = await self._metrics.ask(
                "lose", self._index, member.generation, self._crew.node_of(member)
            )
            if takeover.generation > MOST_SUCCESSORS:
                return Outcome(
                    reason=f"{self._crew.describe(member)} was lost {takeover.generation} times, "
                    "with its process or with its machine, so the test was given up."
                )
            self._crew.succeed(self._index, takeover.generation)

    async def _run_on(self, member: Member) -> Outcome:
        takeover = FROM_THE_START
        if member.generation > 0 or self._crew.node_of(member) is None:
            loaded: Outcome = await plain(self._orders.load(member))
            if loaded.reason is not None:
                return loaded
            self._crew.note_node(member, loaded.node)
        if member.generation > 0:
            takeover = (await self._metrics.ask("takeovers"))[self._index]
            await self._orders.tell_of_pauses(member)
            since = time.time() - self._orders.start_at
            await self._metrics.ask("resume", self._index, member.generation, since)
        running = member.handle.run.remote(
            self._orders.start_at, member.post.share, self._orders.setup_data, takeover
        )
        self.is_vacant = False
        outcome: Outcome = await plain(running)
        return outcome
