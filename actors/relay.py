"""Many WorkerActors of one machine speak to the MetricsAggregator with one voice.

A call of an actor costs it more than the delta that it brings. So in a large test the first
WorkerActor of each machine takes the deltas of the others there, and passes on in one call what
has come within a moment. It merges nothing and keeps nothing: each delta stays in the spool of
whoever measured it until the aggregator has acknowledged it, so a relay that dies loses nothing.
"""

import asyncio
import logging
from typing import Any

import ray
from ray.exceptions import RayActorError

from actors import names

_log = logging.getLogger(__name__)
_GATHER_SECONDS = 0.06
"""Hosts end their seconds together, and WorkerActors look for deltas every 50 ms."""

Push = tuple[Any, ...]
"""The arguments of one ``MetricsAggregator.push``."""


class Relay:
    """Of one machine and one test."""

    def __init__(self, test_id: str) -> None:
        self._name = names.metrics(test_id)
        self._aggregator: Any = None
        self._waiting: list[tuple[Push, asyncio.Future[Any]]] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def push(self, *push: Any) -> Any:
        """As ``MetricsAggregator.push``; None if the aggregator cannot be reached now."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((push, answer))
        if len(self._waiting) == 1:
            task = asyncio.create_task(self._pass_on())
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
        return await answer

    async def _pass_on(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        gathered, self._waiting = self._waiting, []
        pushes = [push for push, _ in gathered]
        answers: list[Any] = [None] * len(gathered)
        try:
            if self._aggregator is None:
                self._aggregator = ray.get_actor(self._name, namespace=names.NAMESPACE)
            # Arguments of their own: together they would be too large for the call itself, and
            # take the way through two object stores.
            answers = await self._aggregator.push_all.remote(*pushes)
        except (RayActorError, ValueError) as error:
            _log.warning("the aggregator cannot be reached: %s", error)
            self._aggregator = None
        finally:
            for (_, future), answer in zip(gathered, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
