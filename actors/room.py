"""Whether there will ever be room for a test's WorkerActors, looked at while it waits for them."""

import asyncio
import logging
import time
from collections.abc import Sequence

from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup

from actors import autoscaler
from actors.cluster_question import ANSWER_SECONDS
from fusillade.capacity import why_never
from fusillade.posts import Post

_log = logging.getLogger(__name__)
_LOOKS = 10
"""So many times within the limit."""


class Room:
    """For ``posts``. Waiting is hopeless once it has looked so for ``limit_seconds`` on end: a
    machine may be on its way of which nobody has told yet."""

    def __init__(self, posts: Sequence[Post], limit_seconds: float) -> None:
        self._posts = posts
        self._limit_seconds = limit_seconds
        self._hopeless_since: float | None = None
        self._next_look = time.monotonic()

    async def look(self, group: PlacementGroup | None) -> str | None:
        """Why waiting is hopeless, in a sentence; None while it is not. ``group``: what the test
        has asked for."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + self._limit_seconds / _LOOKS
        reason = await self._reason(group)
        if reason is None:
            self._hopeless_since = None
            return None
        if self._hopeless_since is None:
            self._hopeless_since = now
        if now - self._hopeless_since < self._limit_seconds:
            return None
        return f"{reason} That did not change within {self._limit_seconds:g} s."

    async def _reason(self, group: PlacementGroup | None) -> str | None:
        try:
            found = await asyncio.to_thread(autoscaler.capacity, ANSWER_SECONDS)
        except RayError as error:
            _log.warning("Ray does not tell which machines there are: %s", error)
            return None
        is_refused = group is not None and group.id.hex() in found.refused_groups
        return why_never(self._posts, found, is_refused=is_refused)
