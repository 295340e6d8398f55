"""``/api/v1/schedules``: tests that are created and started at certain times."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api import creation
from api.authentication import Full, FullFirst, Read, TestCreateFirst
from api.creation import CREATION_ERRORS, CreatedTest
from api.errors import documented
from api.fields import Moment, Name, PageSize, Region, Script, Seconds, Workers
from api.platform import Here, Session
from fusillade import cron
from fusillade.errors import InvalidState, LimitExceeded, NotFound, QuotaExceeded
from fusillade.metrics.live import timestamp
from fusillade.plans import limits_of
from fusillade.scheduling import checked
from fusillade.storage import accounts, firings, schedules
from fusillade.storage.models import Schedule, ScheduleFiring, Test
from fusillade.webhooks import outbox

router = APIRouter(prefix="/api/v1/schedules", tags=["schedules"])

_SHOWN_FIRINGS = 20

_EXAMPLE: dict[str, Any] = {
    "name": "Nightly API Test",
    "script_content": 'export default function() { http.get("https://api.example.com/health"); }',
    "workers": 50,
    "duration_seconds": 60,
    "region": "eu-hel1",
    "cron_expression": "0 0 2 * * * *",
    "timezone": "UTC",
}

Cron = Annotated[
    str,
    Field(
        description="sec min hour day_of_month month day_of_week year, with ranges (a-b), steps "
        "(*/n), lists (a,b) and names (Mon, Jan)",
        examples=["0 0 2 * * * *", "0 0 */6 * * * *", "0 0 9 * * Mon *", "0 0 0 1 * * *"],
    ),
]
Timezone = Annotated[
    str,
    Field(
        description="A name of the time zone database. A time that the clocks leave out fires "
        "when they go on; a time that they show twice fires once"
    ),
]


class NewSchedule(BaseModel):
    """What to run, and when."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    script_content: Script
    workers: Workers
    duration_seconds: Seconds
    region: Region | None = None
    cron_expression: Cron
    timezone: Timezone = "UTC"


class ScheduleChanges(BaseModel):
    """What to change; what is missing or null stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cron_expression": "0 0 */6 * * * *"}]}
    )

    name: Name | None = None
    script_content: Script | None = None
    workers: Workers | None = None
    duration_seconds: Seconds | None = None
    region: Region | None = None
    cron_expression: Cron | None = None
    timezone: Timezone | None = None
    active: bool | None = None


class Refusal(BaseModel):
    """Why the schedule's last firing made no test. Gone when one does, or the test is changed."""

    code: str
    message: str
    in_a_row: Annotated[int, Field(description="How many firings were refused since the last test")]


class Firing(BaseModel):
    """An instant at which the schedule was due, and what became of it."""

    fire_time: Moment
    status: Annotated[
        Literal["pending", "fired", "refused", "missed"],
        Field(
            description="pending: its test is being created; refused: for the reason that creating "
            "it by hand would have been; missed: the platform was not there in time"
        ),
    ]
    test_id: Annotated[UUID | None, Field(description="Also null when the test was deleted")]
    code: Annotated[str | None, Field(description="The error code of a refusal")]
    message: Annotated[str | None, Field(description="Why it was refused or missed")]


class ListedSchedule(BaseModel):
    """A schedule without its script."""

    id: UUID
    name: str
    workers: int
    duration_seconds: int
    region: str
    cron_expression: str
    timezone: str
    status: Literal["active", "paused"]
    active: bool
    next_runs: Annotated[
        list[Moment], Field(description="The next five times; none while it is paused")
    ]
    last_run_at: Moment | None
    last_test_id: UUID | None
    refusal: Refusal | None
    created_at: Moment
    updated_at: Moment


class ShownSchedule(ListedSchedule):
    """A schedule."""

    script_content: str
    firings: Annotated[list[Firing], Field(description="The last 20, newest first")]


class Schedules(BaseModel):
    """Newest first. ``next_cursor`` leads to the next page."""

    schedules: list[ListedSchedule]
    total: int
    limit: int
    next_cursor: str | None


@router.post("", status_code=201, responses=documented(*CREATION_ERRORS, LimitExceeded))
async def create(body: NewSchedule, caller: FullFirst, platform: Here) -> ShownSchedule:
    """Create a schedule. Its script is checked as an uploaded one is."""
    cron.check(body.cron_expression)
    cron.check_timezone(body.timezone)
    schedule = Schedule(
        organisation_id=caller.organisation_id,
        created_by=caller.user.id,
        name=body.name,
        script_content=body.script_content,
        workers=body.workers,
        duration_seconds=body.duration_seconds,
        region=body.region or platform.settings.default_region,
        cron_expression=body.cron_expression,
        timezone=body.timezone,
    )
    plan = schedules.plan_of(schedule)
    schedule.checked = checked.kept(plan, await creation.check(platform, caller, plan))
    async with platform.database.session() as session:
        organisation = await accounts.organisation(session, caller.organisation_id)
        most = limits_of(organisation, platform.settings).schedules
        await schedules.create(session, schedule, most, _now())
    return _shown(schedule, [])


@router.get("")
async def list_schedules(
    caller: Read, session: Session, limit: PageSize = 20, cursor: str | None = None
) -> Schedules:
    """The organisation's schedules, newest first, without their scripts."""
    page = await schedules.page(session, caller.organisation_id, limit=limit, cursor=cursor)
    return Schedules(
        schedules=[ListedSchedule(**_fields(schedule)) for schedule in page.rows],
        total=page.total,
        limit=limit,
        next_cursor=page.next_cursor,
    )


@router.get("/{schedule_id}", responses=documented(NotFound))
async def details(schedule_id: UUID, caller: Read, session: Session) -> ShownSchedule:
    """One schedule with its script."""
    schedule = await schedules.get(session, schedule_id, caller.organisation_id)
    return await _looked_up(session, schedule)


@router.patch("/{schedule_id}", responses=documented(NotFound, *CREATION_ERRORS))
async def change(
    schedule_id: UUID, body: ScheduleChanges, caller: FullFirst, platform: Here
) -> ShownSchedule:
    """Change a schedule. Times that have passed are not made up for."""
    changes = body.model_dump(exclude_none=True)
    async with platform.database.session() as session:
        before = await schedules.get(session, schedule_id, caller.organisation_id)
    of_test = {name: changes[name] for name in schedules.OF_TEST if name in changes}
    if of_test.keys() - {"name"}:
        plan = schedules.plan_of(before, of_test)
        changes["checked"] = checked.kept(plan, await creation.check(platform, caller, plan))
    async with platform.database.session() as session:
        schedule = await schedules.change(
            session, schedule_id, caller.organisation_id, changes, _now()
        )
        return await _looked_up(session, schedule)


@router.delete("/{schedule_id}", status_code=204, responses=documented(NotFound))
async def delete(schedule_id: UUID, caller: Full, session: Session) -> None:
    """Delete a schedule. Its tests stay."""
    await schedules.delete(session, schedule_id, caller.organisation_id)


@router.post("/{schedule_id}/pause", responses=documented(NotFound, InvalidState))
async def pause(schedule_id: UUID, caller: Full, session: Session) -> ShownSchedule:
    """Fire no more until it is resumed."""
    schedule = await schedules.pause(session, schedule_id, caller.organisation_id, _now())
    return await _looked_up(session, schedule)


@router.post("/{schedule_id}/resume", responses=documented(NotFound, InvalidState))
async def resume(schedule_id: UUID, caller: Full, session: Session) -> ShownSchedule:
    """Go on with the next time to come."""
    schedule = await schedules.resume(session, schedule_id, caller.organisation_id, _now())
    return await _looked_up(session, schedule)


@router.post(
    "/{schedule_id}/trigger",
    status_code=201,
    responses=documented(NotFound, *CREATION_ERRORS, QuotaExceeded),
)
async def trigger(schedule_id: UUID, caller: TestCreateFirst, platform: Here) -> CreatedTest:
    """Create the schedule's test now, and start it as soon as it is ready. The schedule's own times
    stay as they are; one that is paused can be triggered as well."""
    async with platform.database.session() as session:
        schedule = await schedules.get(session, schedule_id, caller.organisation_id)

    async def then(session: AsyncSession, test: Test) -> None:
        await schedules.note_run(session, schedule_id, caller.organisation_id, test.id)
        await outbox.tell(session, "test.scheduled", test, schedule_id=str(schedule_id))

    test = await creation.create(
        platform, caller, schedules.plan_of(schedule), start_when_ready=True, then=then
    )
    return CreatedTest(test_id=test.id, status=test.status)


def _now() -> datetime:
    return datetime.now(UTC)


async def _looked_up(session: AsyncSession, schedule: Schedule) -> ShownSchedule:
    return _shown(schedule, await firings.last(session, schedule.id, _SHOWN_FIRINGS))


def _shown(schedule: Schedule, last: Sequence[ScheduleFiring]) -> ShownSchedule:
    return ShownSchedule(
        **_fields(schedule),
        script_content=schedule.script_content,
        firings=[_firing(firing) for firing in last],
    )


def _firing(firing: ScheduleFiring) -> Firing:
    status: Any = firing.status
    return Firing(
        fire_time=timestamp(firing.fire_time),
        status=status,
        test_id=firing.test_id,
        code=firing.code,
        message=firing.message,
    )


def _refusal(schedule: Schedule) -> Refusal | None:
    if schedule.refusal_code is None or schedule.refusal_message is None:
        return None
    return Refusal(
        code=schedule.refusal_code,
        message=schedule.refusal_message,
        in_a_row=schedule.refusals,
    )


def _fields(schedule: Schedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "name": schedule.name,
        "workers": schedule.workers,
        "duration_seconds": schedule.duration_seconds,
        "region": schedule.region,
        "cron_expression": schedule.cron_expression,
        "timezone": schedule.timezone,
        "status": "active" if schedule.active else "paused",
        "active": schedule.active,
        "next_runs": [timestamp(moment) for moment in schedules.coming_times(schedule, _now())],
        "last_run_at": None if schedule.last_run_at is None else timestamp(schedule.last_run_at),
        "last_test_id": schedule.last_test_id,
        "refusal": _refusal(schedule),
        "created_at": timestamp(schedule.created_at),
        "updated_at": timestamp(schedule.updated_at),
    }
