"""Pauses of running tests. The status stays ``running``: these columns tell the rest.

Moments are Unix times, as ``start_at`` is: all WorkerActors of a test go by them.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import InvalidState
from fusillade.storage import tests
from fusillade.storage.models import Test

_RESUME_DELAY_SECONDS = 0.25
"""From the decision to go on to the shared moment: time for all WorkerActors to hear of it."""


async def pause(session: AsyncSession, test_id: UUID, now: float) -> Test:
    """Note that a running test begins no iterations from ``now`` on, or from its start on if that
    is still to come. Raises :class:`InvalidState`, :class:`NotFound`."""
    begin = func.greatest(now, Test.start_at, func.coalesce(Test.resumed_at, 0.0))
    paused = await _change(session, test_id, Test.paused_at.is_(None), paused_at=begin)
    if paused is not None:
        return paused
    raise await _refusal(session, test_id, "paused", "The test is paused already.")


async def resume(session: AsyncSession, test_id: UUID, now: float) -> Test:
    """Note that a paused test goes on, a moment after ``now``. Raises :class:`InvalidState`,
    :class:`NotFound`."""
    moment = func.greatest(now + _RESUME_DELAY_SECONDS, Test.paused_at)
    resumed = await _change(
        session,
        test_id,
        Test.paused_at.is_not(None),
        resumed_at=moment,
        paused_seconds=Test.paused_seconds + moment - Test.paused_at,
        paused_at=None,
    )
    if resumed is not None:
        return resumed
    raise await _refusal(session, test_id, "resumed", "The test is not paused.")


def is_paused(test: Test) -> bool:
    """Whether it begins no iterations because somebody wanted it so."""
    return test.status == "running" and test.paused_at is not None and not test.stop_requested


def paused_seconds(test: Test, now: float) -> float:
    """All pauses so far together, the present one included."""
    present = 0.0 if test.paused_at is None else max(0.0, now - test.paused_at)
    return test.paused_seconds + present


async def _change(
    session: AsyncSession, test_id: UUID, condition: ColumnElement[bool], **values: object
) -> Test | None:
    """One conditional UPDATE: of two that race one wins."""
    return await session.scalar(
        update(Test)
        .where(Test.id == test_id, Test.status == "running", ~Test.stop_requested, condition)
        .values(**values)
        .returning(Test)
        .execution_options(populate_existing=True)
    )


async def _refusal(session: AsyncSession, test_id: UUID, what: str, otherwise: str) -> Exception:
    row = (
        await session.execute(select(Test.status, Test.stop_requested).where(Test.id == test_id))
    ).one_or_none()
    if row is None:
        return tests.not_found(test_id)
    if row.status != "running":
        return InvalidState(f"The test is {row.status}; only a running test can be {what}.")
    if row.stop_requested:
        return InvalidState(f"The test is being stopped; it cannot be {what}.")
    return InvalidState(otherwise)
