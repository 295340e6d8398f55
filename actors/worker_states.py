"""How the WorkerActors of a test are, for people who look: asked at most once a second."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

from ray.exceptions import RayActorError

_FRESH_SECONDS = 1.0
_ANSWER_SECONDS = 1.0


@dataclass(frozen=True)
class WorkerState:
    """One WorkerActor, by its script host's last sign of life."""

    index: int
    state: str
    """``starting``, ``ready``, ``running``, ``paused``, ``ended``; ``unreachable`` if it does not
    answer, ``lost`` if it is gone."""
    region: str = ""
    workers: int = 0
    """Virtual users that it has at most."""
    node: str | None = None
    """Ray's id of its machine; None before it has been heard of."""
    active_workers: int = 0
    """Virtual users in the middle of an iteration."""
    requests_per_second: float = 0.0
    """Of the last second."""
    cpu_share: float = 0.0
    """Of one core."""
    loop_lag_seconds: float = 0.0
    """How late the script host's event loop was."""
    overloaded: bool = False
    """Whether it cannot keep up, and has not for some seconds."""
    heartbeat_at: float | None = None
    """Unix time; None before the first."""


class WorkerStates:
    """Of one test; what was heard last of who is silent now is kept."""

    def __init__(self) -> None:
        self._known: dict[int, WorkerState] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def look(self, handles: list[Any]) -> list[WorkerState]:
        """The state of each; ``handles`` by index."""
        async with self._asking:
            fresh = time.monotonic() - self._asked_at < _FRESH_SECONDS
            if not fresh or len(self._known) != len(handles):
                found = await asyncio.gather(
                    *(self._ask(index, handle) for index, handle in enumerate(handles))
                )
                self._known = dict(enumerate(found))
                self._asked_at = time.monotonic()
        return [self._known[index] for index in range(len(handles))]

    async def _ask(self, index: int, handle: Any) -> WorkerState:
        if handle is None:
            return WorkerState(index, "lost")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                state: WorkerState = await handle.state.remote()
                return state
        except TimeoutError:
            silent = "unreachable"
        except RayActorError:
            silent = "lost"
        known = self._known.get(index, WorkerState(index, silent))
        return replace(
            known, state=silent, active_workers=0, requests_per_second=0.0, cpu_share=0.0
        )
