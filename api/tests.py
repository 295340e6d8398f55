"""``/api/v1/tests``: create, look at, start, stop."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api import creation
from api.authentication import Caller, FullFirst, TestCreateFirst, TestRead
from api.creation import CREATION_ERRORS, CreatedTest
from api.errors import documented
from api.idempotency import Once
from api.platform import Here, Platform, Session
from api.shown_tests import ListedTest, ListedTests, ShownTest, TestState
from api.structs import described_by
from api.test_form import SCHEMA, TestForm, read_test_form
from fusillade import comparison, quota
from fusillade.creation import Plan
from fusillade.errors import IdempotencyError, InvalidState, NotFound, QuotaExceeded
from fusillade.metrics.live import timestamp
from fusillade.settings import Settings
from fusillade.storage import listing, tests
from fusillade.storage.idempotency import Repeated
from fusillade.storage.models import Test
from fusillade.storage.pauses import is_paused

router = APIRouter(prefix="/api/v1/tests", tags=["tests"])

_POLL_SECONDS = 0.25
_STOP_SECONDS = 10.0
_SHOWN = ("avg", "med", "p90", "p95", "p99", "min", "max")

_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": SCHEMA}}}}


@router.post(
    "",
    status_code=201,
    openapi_extra=_FORM,
    responses=documented(*CREATION_ERRORS, QuotaExceeded, IdempotencyError),
)
async def create(
    request: Request,
    caller: TestCreateFirst,
    platform: Here,
    once: Once,
    wait: bool = False,
    wait_for: Literal["ready", "completed"] = "ready",
) -> CreatedTest:
    """Create a test; ``wait`` until it is ready, or started and ended."""
    form = await read_test_form(request, platform.settings)

    async def first(session: AsyncSession, test_id: UUID) -> None:
        created = CreatedTest(test_id=test_id, status="provisioning")
        await once.claim(session, caller)
        await once.keep(session, caller, test_id, None if wait else created)

    try:
        async with platform.database.session() as session:
            await once.look(session, caller)
        test = await creation.create(
            platform,
            caller,
            _plan(form, platform.settings),
            start_when_ready=form.start or (wait and wait_for == "completed"),
            first=first,
        )
    except Repeated as repeated:
        test_id = repeated.first.resource_id
        await _poke_again(platform, test_id)
        if repeated.first.body is not None:
            raise
        return await _answer_after_waiting(platform, caller, once, test_id)
    if wait:
        return await _answer_after_waiting(platform, caller, once, test.id)
    return CreatedTest(test_id=test.id, status=test.status)


async def _poke_again(platform: Platform, test_id: UUID) -> None:
    """Whoever created the test may have died before its actor was told."""
    async with platform.database.session() as session:
        status = await tests.status_of(session, test_id)
    if status in tests.ACTIVE:
        await platform.poke(test_id)


async def _answer_after_waiting(
    platform: Platform, caller: Caller, once: Once, test_id: UUID
) -> CreatedTest:
    """What is answered to whoever asked to wait; to all who did so under the same key the same."""
    settings = platform.settings
    try:
        async with platform.database.session() as session:
            test = await tests.by_id(session, test_id)
        until: tuple[str, ...] = tests.ENDED
        seconds = settings.wait_completed_seconds
        if not test.start_when_ready:
            until += ("ready", "pending", "running")
            seconds = settings.wait_ready_seconds
        waited = max(0.0, time.time() - test.created_at.timestamp())
        status = await _wait(platform, test_id, until, seconds - waited)
    except NotFound:
        async with platform.database.session() as session:
            await once.forget(session, caller)
        raise
    created = CreatedTest(test_id=test_id, status=status)
    async with platform.database.session() as session:
        answer = await once.answer(session, caller, created.model_dump_json())
    return CreatedTest.model_validate_json(answer)


@router.get("")
async def list_tests(
    caller: TestRead,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
    sort: Annotated[listing.Sort, Query(description="A minus sign: descending")] = "-created_at",
    status: Annotated[list[listing.Status] | None, Query(description="Any of these")] = None,
    search: Annotated[str | None, Query(description="Part of the name, in any case")] = None,
    region: str | None = None,
    target_url: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> ListedTests:
    """The organisation's tests. ``next_cursor`` leads to the next page, from which nothing is
    missing and on which nothing stands twice, whatever is added meanwhile."""
    page = await listing.page(
        session,
        caller.organisation_id,
        filters=listing.Filters(
            statuses=tuple(status or ()),
            search=search,
            region=region,
            target_url=target_url,
            created_after=created_after,
            created_before=created_before,
        ),
        sort=sort,
        limit=limit,
        cursor=cursor,
    )
    return ListedTests(
        tests=[ListedTest(**brief(test)) for test in page.tests],
        total=page.total,
        limit=limit,
        next_cursor=page.next_cursor,
    )


@router.get("/{test_id}", responses=documented(NotFound))
async def details(test_id: UUID, caller: TestRead, session: Session) -> ShownTest:
    """One test with its metrics and thresholds."""
    test = await tests.get(session, test_id, caller.organisation_id)
    summary = test.summary
    return ShownTest(
        **brief(test),
        options=test.options,
        warnings=test.warnings,
        thresholds=[] if summary is None else summary["thresholds"],
        summary=summary,
        series=await tests.series(session, test.id),
    )


@router.delete("/{test_id}", status_code=204, responses=documented(NotFound))
async def delete(test_id: UUID, caller: FullFirst, platform: Here) -> None:
    """Delete a test with its results. One that is under way is ended at once."""
    async with platform.database.session() as session:
        test = await tests.delete(session, test_id, caller.organisation_id, datetime.now(UTC))
    if test.status in tests.ACTIVE:
        await platform.poke(test_id)


@router.get("/{test_id}/compare/{baseline_id}", responses=documented(NotFound, InvalidState))
async def compare(
    test_id: UUID, baseline_id: UUID, caller: TestRead, session: Session
) -> Annotated[dict[str, Any], described_by(comparison.Comparison)]:
    """A run beside a baseline, and whether it has regressed: p95 latency up by more than 10 %, or
    error rate by more than 0.5 percentage points."""
    current, baseline = [
        comparison.result_of(_ended(await tests.get(session, one, caller.organisation_id)))
        for one in (test_id, baseline_id)
    ]
    return dict(msgspec.to_builtins(comparison.compare(baseline, current)))


def _ended(test: Test) -> Test:
    if test.summary is None:
        raise InvalidState(
            f"The test {test.id} is {test.status} and has no results; compare runs that have ended."
        )
    return test


@router.post("/{test_id}/start", responses=documented(NotFound, InvalidState, QuotaExceeded))
async def start(test_id: UUID, caller: TestCreateFirst, platform: Here) -> TestState:
    """Start a ready test."""
    async with platform.database.session() as session:
        test = await quota.start(
            session, test_id, caller.organisation_id, platform.settings, datetime.now(UTC)
        )
    await platform.poke(test_id)
    return TestState(test_id=test_id, status=test.status)


@router.post("/{test_id}/stop", responses=documented(NotFound, InvalidState))
async def stop(test_id: UUID, caller: TestCreateFirst, platform: Here) -> TestState:
    """Stop a running test, or cancel one that has not begun.

    Iterations under way end by themselves; until they have, the answer may say ``running``.
    """
    async with platform.database.session() as session:
        test = await tests.get(session, test_id, caller.organisation_id)
        if test.status in ("provisioning", "ready", "pending"):
            test = await tests.transition(
                session, test_id, "cancelled", reason="Cancelled by a user."
            )
        else:
            test = await tests.request_stop(session, test_id)
    await platform.poke(test_id)
    status = test.status
    if status == "running":
        status = await _wait(platform, test_id, tests.ENDED, _STOP_SECONDS)
    return TestState(test_id=test_id, status=status)


def _plan(form: TestForm, settings: Settings) -> Plan:
    return Plan(
        name=form.name,
        workers=form.workers,
        duration_seconds=form.duration,
        region=form.region or settings.default_region,
        files=form.files,
        entry=form.entry,
        env=form.env,
    )


async def _wait(
    platform: Platform, test_id: UUID, statuses: tuple[str, ...], seconds: float
) -> str:
    """The status once it is one of ``statuses``; the present one after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        async with platform.database.session() as session:
            status = (await tests.by_id(session, test_id)).status
        if status in statuses or time.monotonic() >= deadline:
            return status
        await asyncio.sleep(_POLL_SECONDS)


def brief(test: Test) -> dict[str, Any]:
    """A test without what is long."""
    times = ("created_at", "ready_at", "started_at", "finished_at")
    return {
        "id": str(test.id),
        "name": test.name,
        "status": test.status,
        "paused": is_paused(test),
        "reason": test.reason,
        "workers": test.workers,
        "duration_seconds": test.duration_seconds,
        "region": test.region,
        "target_urls": test.target_urls,
        **{
            name: None if (moment := getattr(test, name)) is None else timestamp(moment)
            for name in times
        },
        "metrics": None if test.summary is None else _metrics(test.summary),
    }


def _metrics(summary: dict[str, Any]) -> dict[str, Any]:
    names = [f"{name}_latency_ms" for name in _SHOWN]
    names += ["error_rate", "rps", "total_requests"]
    return {name: summary[name] for name in names}
