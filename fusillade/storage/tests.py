"""Tests and their runs: what is stored of them, and how their status may change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import InvalidState, NotFound
from fusillade.regions import codes_of
from fusillade.storage import usage
from fusillade.storage.listing import in_region
from fusillade.storage.models import Test, TestFile, TestSeries
from fusillade.storage.ownership import missing, owned
from fusillade.webhooks import outbox
from fusillade.webhooks.events import Event

ACTIVE = ("provisioning", "ready", "pending", "running")
ENDED = ("completed", "failed", "cancelled", "stopped")
STATUSES = (*ACTIVE, *ENDED)

_COMES_FROM = {
    "ready": ("provisioning",),
    "pending": ("ready",),
    "running": ("pending",),
    "completed": ("running",),
    "stopped": ("running",),
    "cancelled": ("provisioning", "ready", "pending"),
    "failed": ACTIVE,
}
_TIMES = {"ready": "ready_at", "running": "started_at"} | dict.fromkeys(ENDED, "finished_at")
_EVENTS: dict[str, Event] = {
    "ready": "test.ready",
    "running": "test.started",
    "completed": "test.completed",
    "failed": "test.failed",
}


async def create(session: AsyncSession, test: Test, files: Mapping[str, bytes]) -> None:
    """Store a new test (in ``provisioning``) with its script."""
    test.status = "provisioning"
    session.add(test)
    await session.flush()
    session.add_all(
        TestFile(test_id=test.id, path=path, content=content) for path, content in files.items()
    )


async def get(session: AsyncSession, test_id: UUID, organisation_id: UUID) -> Test:
    """One test of an organisation. Raises :class:`NotFound`."""
    return await owned(session, Test, test_id, organisation_id)


async def need(session: AsyncSession, test_ids: Sequence[UUID], organisation_id: UUID) -> None:
    """Raises :class:`NotFound` for the first that does not exist or is another organisation's."""
    owned = Test.organisation_id == organisation_id
    found = set(await session.scalars(select(Test.id).where(Test.id.in_(test_ids), owned)))
    for test_id in test_ids:
        if test_id not in found:
            raise not_found(test_id)


async def by_id(session: AsyncSession, test_id: UUID) -> Test:
    """One test, for its own actors. Raises :class:`NotFound`."""
    found = await session.get(Test, test_id)
    if found is None:
        raise not_found(test_id)
    return found


async def status_of(session: AsyncSession, test_id: UUID) -> str | None:
    """The test's status; None if it is not there."""
    return await session.scalar(select(Test.status).where(Test.id == test_id))


def not_found(test_id: object) -> NotFound:
    """The error for a test that is not there or somebody else's."""
    return missing(Test, test_id)


async def files(session: AsyncSession, test_id: UUID) -> dict[str, bytes]:
    """The test's files by path."""
    rows = await session.scalars(select(TestFile).where(TestFile.test_id == test_id))
    return {file.path: file.content for file in rows}


async def transition(session: AsyncSession, test_id: UUID, to: str, **values: Any) -> Test:
    """Change the status in one conditional UPDATE, and ``values`` with it.

    Of two that race one wins. The end of a test settles its minutes, and webhooks are told. Raises
    :class:`InvalidState` if the present status does not lead there, :class:`NotFound`.
    """
    if to in _TIMES:
        values[_TIMES[to]] = func.now()
    changed = await session.scalar(
        update(Test)
        .where(Test.id == test_id, Test.status.in_(_COMES_FROM[to]))
        .values(status=to, **values)
        .returning(Test)
        .execution_options(populate_existing=True)
    )
    if changed is not None:
        if to in ENDED:
            await usage.settle(session, changed)
        if to in _EVENTS:
            await outbox.tell(session, _EVENTS[to], changed)
        return changed
    status = await status_of(session, test_id)
    if status is None:
        raise not_found(test_id)
    raise InvalidState(
        f"The test is {status}; it can become {to} only from {_alternatives(_COMES_FROM[to])}."
    )


def _alternatives(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


async def delete(
    session: AsyncSession, test_id: UUID, organisation_id: UUID, now: datetime
) -> Test:
    """Delete a test with its results; what it has used is settled. Raises :class:`NotFound`."""
    test = await owned(session, Test, test_id, organisation_id, lock=True)
    await usage.settle(session, test, now)
    await session.delete(test)
    return test


async def request_stop(session: AsyncSession, test_id: UUID) -> Test:
    """Note that a running test is to end early. Raises :class:`InvalidState`."""
    changed = await session.scalar(
        update(Test)
        .where(Test.id == test_id, Test.status == "running")
        .values(stop_requested=True)
        .returning(Test)
        .execution_options(populate_existing=True)
    )
    if changed is not None:
        return changed
    status = await status_of(session, test_id)
    raise InvalidState(f"The test is {status}; only a running test can be stopped.")


async def save_series(session: AsyncSession, test_id: UUID, points: list[dict[str, Any]]) -> None:
    """Store the time series; a second time replaces it."""
    await session.execute(
        insert(TestSeries)
        .values(test_id=test_id, points=points)
        .on_conflict_do_update(index_elements=[TestSeries.test_id], set_={"points": points})
    )


async def series(session: AsyncSession, test_id: UUID) -> list[dict[str, Any]]:
    """The time series; empty before the end."""
    found = await session.get(TestSeries, test_id)
    return [] if found is None else found.points


async def provisioned_before(session: AsyncSession, test: Test) -> list[UUID]:
    """Tests of any organisation that came before this one and are being provisioned in one of its
    regions."""
    rows = await session.scalars(
        select(Test.id).where(
            Test.status == "provisioning",
            or_(*map(in_region, codes_of(test.region))),
            tuple_(Test.created_at, Test.id) < (test.created_at, test.id),
        )
    )
    return list(rows)


async def active_names(session: AsyncSession) -> dict[UUID, str]:
    """The names of the tests that have not ended, oldest first."""
    rows = await session.execute(
        select(Test.id, Test.name).where(Test.status.in_(ACTIVE)).order_by(Test.created_at)
    )
    return dict(rows.all())


async def name_of(session: AsyncSession, test_id: UUID) -> str:
    """What a test is called; ``""`` for one that there is not."""
    return await session.scalar(select(Test.name).where(Test.id == test_id)) or ""
