"""What Ray says of the machines that tests have reserved, within a bounded time."""

import asyncio
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import ray
from ray.exceptions import RayError
from ray.util import placement_group_table

from actors import autoscaler, names
from fusillade.queueing import Reservation

_log = logging.getLogger(__name__)
_ANSWER_SECONDS = 1.0
_FRESH_SECONDS = 1.0
_NO_ROOM = ("NO_RESOURCES", "INFEASIBLE")


class Reservations:
    """Looks at all placement groups together, one question at a time however many ask."""

    def __init__(self) -> None:
        # A question that hangs holds this thread and no other.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reservations")
        self._answer: Future[dict[UUID, Reservation]] | None = None
        self._asked_at = 0.0

    async def look(self) -> dict[UUID, Reservation] | None:
        """By test; None if Ray does not answer."""
        if not ray.is_initialized():
            return None
        answer = self._answer
        if answer is None or (answer.done() and self._age > _FRESH_SECONDS):
            answer = self._answer = self._thread.submit(reservations)
            self._asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await asyncio.shield(asyncio.wrap_future(answer))
        except TimeoutError:
            _log.warning("Ray does not answer what it has reserved")
        except RayError as error:
            _log.warning("Ray does not tell what it has reserved: %s", error)
        return None

    def close(self) -> None:
        """Ask nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._asked_at


def reservations() -> dict[UUID, Reservation]:
    """By test. Blocks; raises ``RayError``."""
    found = {}
    refused = autoscaler.refused_groups(_ANSWER_SECONDS)
    for group_id, group in placement_group_table().items():
        test_id = names.test_of(group["name"])
        if test_id is None or group["state"] == "REMOVED":
            continue
        nodes = group["bundles_to_node_id"].items()
        # The nil id is all ones.
        placed = frozenset(index for index, node in nodes if node.strip("f"))
        is_complete = group["state"] == "CREATED"
        # A cluster that does not scale has refused when it has looked for room and found none.
        is_refused = (
            group["stats"]["scheduling_state"] in _NO_ROOM
            if refused is None
            else group_id in refused
        )
        found[test_id] = Reservation(is_complete, placed, is_refused and not is_complete)
    return found
