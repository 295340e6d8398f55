"""The way of a WorkerActor's deltas to the MetricsAggregator: each arrives, and counts once."""

import asyncio
import logging
import math
import time
from typing import Any

import ray
from ray.exceptions import RayActorError

from actors import names
from fusillade.metrics.intake import SUPERSEDED
from fusillade.metrics.kept_deltas import KeptDeltas

_log = logging.getLogger(__name__)
_MOST_AT_ONCE = 60
_RETRY_SECONDS = 0.5
ALONE_SECONDS = 60.0
"""Who cannot reach the aggregator for so long is cut off: others have taken over by then."""


class Superseded(Exception):
    """What this WorkerActor measures counts no more; it has to end its load."""


class Spool:
    """Keeps all deltas of one generation of a share, and sends what has not been acknowledged.

    An acknowledgement names the number up to which the aggregator has everything. It may fall
    back, where an aggregator that was killed could not read its journal.
    """

    def __init__(self, test_id: str, index: int, generation: int) -> None:
        self._name = names.metrics(test_id)
        self._index = index
        self._generation = generation
        self._deltas = KeptDeltas()
        self._acknowledged = 0
        self._handle: Any = None
        self._relay: Any = None
        self._answered_at = math.inf
        """When it was reached last, by the monotonic clock."""
        self._sending = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._deltas)

    def add(self, payload: bytes) -> None:
        """Keep the next delta."""
        try:
            self._deltas.add(payload)
        except OSError as error:
            _log.warning("older deltas stay in memory: %s", error)

    def go_through(self, relay: Any) -> None:
        """Send by way of this WorkerActor for as long as it lives."""
        self._relay = relay

    async def deliver(self) -> None:
        """Send until everything kept so far has been acknowledged. Raises :class:`Superseded`, also
        when the aggregator could not be reached for ALONE_SECONDS."""
        self._answered_at = min(self._answered_at, time.monotonic())
        async with self._sending:
            # Asks at least once: the aggregator may have forgotten.
            while await self._send() < len(self._deltas):
                pass

    async def _send(self) -> int:
        batch = self._deltas.some(self._acknowledged, _MOST_AT_ONCE)
        acknowledged = await self._push(batch)
        if acknowledged is None:
            if time.monotonic() - self._answered_at > ALONE_SECONDS:
                raise Superseded("Nobody could be reached for too long.")
            await asyncio.sleep(_RETRY_SECONDS)
            return -1
        if acknowledged == SUPERSEDED:
            raise Superseded("Another WorkerActor has taken the share over.")
        self._answered_at = time.monotonic()
        self._acknowledged = acknowledged
        return acknowledged

    async def _push(self, batch: list[bytes]) -> int | None:
        """The number up to which the aggregator has everything; None if it is out of reach."""
        answer: int | None
        push = (self._index, self._generation, batch)
        if self._relay is not None:
            try:
                answer = await self._relay.relay.remote(*push)
            except RayActorError as error:
                _log.warning("the relay is gone: %s", error)
                self._relay = None
            else:
                return answer
        try:
            if self._handle is None:
                self._handle = ray.get_actor(self._name, namespace=names.NAMESPACE)
            answer = await self._handle.push.remote(*push)
        except (RayActorError, ValueError) as error:
            _log.warning("the aggregator cannot be reached and is tried again: %s", error)
            self._handle = None
            return None
        return answer
