"""A question to Ray, for people who look: answered within a bounded time, or not at all."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import ray
from ray.exceptions import RayError

_log = logging.getLogger(__name__)
ANSWER_SECONDS = 1.0
"""How long an answer is waited for."""
_FRESH_SECONDS = 1.0

T = TypeVar("T")


class ClusterQuestion(Generic[T]):
    """``ask`` blocks and may raise ``RayError``; ``what`` it asks for goes into the log. It is
    asked once at a time, however many look, and at most once a second."""

    def __init__(self, what: str, ask: Callable[[], T]) -> None:
        self._what = what
        self._ask = ask
        # A question that hangs holds this thread and no other.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cluster-question")
        self._answer: Future[T] | None = None
        self._asked_at = 0.0

    async def look(self) -> T | None:
        """The answer; None if Ray does not give one."""
        if not ray.is_initialized():
            return None
        answer = self._answer
        if answer is None or (answer.done() and self._age > _FRESH_SECONDS):
            answer = self._answer = self._thread.submit(self._ask)
            self._asked_at = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asyncio.shield(asyncio.wrap_future(answer))
        except TimeoutError:
            _log.warning("Ray does not answer what it has in %s", self._what)
        except RayError as error:
            _log.warning("Ray does not tell what it has in %s: %s", self._what, error)
        return None

    def close(self) -> None:
        """Ask nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._asked_at
