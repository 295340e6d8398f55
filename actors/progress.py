"""What is known of a live test so far, for people who look."""

import asyncio
from typing import Any
from uuid import UUID

import ray
from ray.exceptions import RayError

from actors import names, placement
from fusillade.errors import InternalError
from fusillade.failures.record import FailedRequest

_ANSWER_SECONDS = 4.0


async def series_after(test_id: UUID, second: int) -> list[dict[str, Any]]:
    """One point for each complete second after that one; none before there is an aggregator.

    Raises InternalError if the aggregator does not answer.
    """
    found: list[dict[str, Any]] | None = await _ask(names.metrics(test_id), "series_after", second)
    return found or []


async def summary_of_now(test_id: UUID) -> dict[str, Any] | None:
    """The summary as it would be if the test ended now. Raises as :func:`series_after`."""
    found: dict[str, Any] | None = await _ask(names.metrics(test_id), "summary_of_now")
    return found


async def failures(test_id: UUID) -> list[FailedRequest]:
    """The sample so far of the requests that failed. Raises as :func:`series_after`."""
    found: list[FailedRequest] | None = await _ask(names.metrics(test_id), "failures")
    return found or []


async def log_lines(test_id: UUID) -> list[str]:
    """What the script has printed on all WorkerActors. Raises as :func:`series_after`."""
    found: list[str] | None = await _ask(names.test_run(test_id), "log_lines")
    return found or []


async def _ask(name: str, method: str, *arguments: Any) -> Any:
    """What a test's actor answers; None if it is not there."""
    if not ray.is_initialized():
        return None
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            handle = await asyncio.to_thread(placement.find, name)
            if handle is None:
                return None
            return await getattr(handle, method).remote(*arguments)
    except (TimeoutError, RayError) as error:
        raise InternalError(
            f"The test's actor did not answer within {_ANSWER_SECONDS:g} s; try again."
        ) from error
