"""``/api/v1/quota`` and ``/api/v1/regions``: what the organisation's plan allows."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.authentication import Read, TestRead
from api.fields import Moment
from api.platform import Here, Session
from fusillade import quota
from fusillade.metrics.live import timestamp
from fusillade.plans import limits_of
from fusillade.storage import accounts
from fusillade.storage.usage import minutes

router = APIRouter(prefix="/api/v1", tags=["quota"])


class ShownQuota(BaseModel):
    """What the plan allows, and what is used of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plan": "pro",
                    "period_start": "2026-02-01T00:00:00.000Z",
                    "period_end": "2026-03-01T00:00:00.000Z",
                    "minutes_used": 12.5,
                    "minutes_reserved": 1.0,
                    "minutes_limit": 2000,
                    "minutes_remaining": 1986.5,
                    "workers_limit": 1000,
                    "duration_seconds_limit": 3600,
                    "script_bytes_limit": 1048576,
                    "regions": ["eu-hel1", "us-east-1", "ap-sin1"],
                    "templates_used": 2,
                    "templates_limit": 25,
                    "schedules_used": 1,
                    "schedules_limit": 10,
                }
            ]
        }
    )

    plan: str
    period_start: Annotated[Moment, Field(description="The first moment of this month, UTC")]
    period_end: Annotated[Moment, Field(description="The first moment of the next")]
    minutes_used: float
    minutes_reserved: Annotated[float, Field(description="For tests that have not ended")]
    minutes_limit: Annotated[int | None, Field(description="null: no limit")]
    minutes_remaining: Annotated[float | None, Field(description="null: no limit")]
    workers_limit: Annotated[int, Field(description="Of one test")]
    duration_seconds_limit: Annotated[int, Field(description="Of one test")]
    script_bytes_limit: Annotated[int, Field(description="Of one module")]
    regions: list[str]
    templates_used: int
    templates_limit: int
    schedules_used: int
    schedules_limit: int


class ShownRegion(BaseModel):
    """A region that the organisation's tests may name, and what there is of it now: nulls if the
    cluster does not answer."""

    code: str
    name: str
    continent: str | None
    default: Annotated[bool, Field(description="Of tests that name no region")]
    nodes: Annotated[int | None, Field(description="Machines that are alive")]
    nodes_starting: Annotated[
        int | None,
        Field(description="Those that the autoscaler was starting at its last look"),
    ]
    cpus: Annotated[float | None, Field(description="Of all machines that are alive")]
    cpus_free: Annotated[float | None, Field(description="Those that no test has")]


class Regions(BaseModel):
    """Those that the plan includes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "regions": [
                        {
                            "code": "eu-hel1",
                            "name": "Helsinki",
                            "continent": "Europe",
                            "default": True,
                            "nodes": 2,
                            "nodes_starting": 0,
                            "cpus": 16,
                            "cpus_free": 12,
                        }
                    ]
                }
            ]
        }
    )

    regions: list[ShownRegion]


@router.get("/quota")
async def current(caller: TestRead, platform: Here, session: Session) -> ShownQuota:
    """What the organisation may use this month, and what it has used."""
    found = await quota.look(session, caller.organisation_id, platform.settings, datetime.now(UTC))
    limits, taken = found.limits, found.taken
    limit = limits.monthly_minutes
    left = None if limit is None else max(0, limit * 60 - taken.used - taken.reserved)
    return ShownQuota(
        plan=limits.plan,
        period_start=timestamp(found.start),
        period_end=timestamp(found.end),
        minutes_used=minutes(taken.used),
        minutes_reserved=minutes(taken.reserved),
        minutes_limit=limit,
        minutes_remaining=None if left is None else minutes(left),
        workers_limit=limits.workers,
        duration_seconds_limit=limits.duration_seconds,
        script_bytes_limit=limits.script_bytes,
        regions=list(limits.regions),
        templates_used=found.templates,
        templates_limit=limits.templates,
        schedules_used=found.schedules,
        schedules_limit=limits.schedules,
    )


@router.get("/regions")
async def regions(caller: Read, platform: Here, session: Session) -> Regions:
    """The regions of the organisation's plan, and the machines that they have at the moment."""
    settings = platform.settings
    capacity = await platform.capacity.look()
    organisation = await accounts.organisation(session, caller.organisation_id)
    shown = []
    for code in limits_of(organisation, settings).regions:
        place = settings.place(code)
        here = None if capacity is None else capacity.of(code)
        shown.append(
            ShownRegion(
                code=code,
                name=code if place is None else place.name,
                continent=None if place is None else place.continent,
                default=code == settings.default_region,
                nodes=None if here is None else here.nodes,
                nodes_starting=None if here is None else here.nodes_starting,
                cpus=None if here is None else here.cpus,
                cpus_free=None if here is None else here.cpus_free,
            )
        )
    return Regions(regions=shown)
