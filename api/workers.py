"""``/api/v1/tests/:test_id/workers`` and ``/queue``: what a live test runs on, or waits for."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from actors import test_run
from api.authentication import TestReadFirst
from api.errors import documented
from api.fields import Moment
from api.platform import Here
from fusillade.errors import NotFound
from fusillade.metrics.live import timestamp
from fusillade.posts import Capacity, posts_of
from fusillade.queueing import queue_status
from fusillade.storage import tests

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])


class ShownWorker(BaseModel):
    """A WorkerActor: a process that runs a share of the virtual users."""

    index: int
    node: Annotated[str | None, Field(description="Ray's id of its machine")]
    region: str
    state: Annotated[
        str,
        Field(
            description="`starting`, `ready`, `running`, `paused`, `ended`, or `unreachable` and "
            "`lost` if nothing is heard of it"
        ),
    ]
    workers: Annotated[int, Field(description="Virtual users that it has at most")]
    active_workers: Annotated[int, Field(description="Virtual users within an iteration")]
    rps: Annotated[float, Field(description="Requests of the last second")]
    cpu_share: Annotated[float, Field(description="Use of one core over the last second")]
    loop_lag_ms: Annotated[
        float, Field(description="How late its event loop is: it is the limit if this grows")
    ]
    overloaded: Annotated[
        bool,
        Field(
            description="Whether it has been unable to keep up for some seconds, so that it may "
            "be the limit and not the target"
        ),
    ]
    last_heartbeat_at: Moment | None


class ShownWorkers(BaseModel):
    """The WorkerActors of a test; none before there is a machine and after its end."""

    workers: list[ShownWorker]


class RegionQueue(BaseModel):
    """What a test needs in one of its regions, and what is there."""

    region: str
    worker_actors_wanted: int
    worker_actors_there: int | None


class ShownQueue(BaseModel):
    """Whether a test waits for machines, and what for."""

    test_id: UUID
    status: str
    waiting: bool
    position: Annotated[
        int, Field(description="1 for the next in its regions; 0 for a test that does not wait")
    ]
    waiting_for: Annotated[
        str | None, Field(examples=["2 WorkerActors in eu-hel1 and 1 in us-east-1"])
    ]
    region_full: Annotated[
        bool,
        Field(description="Whether it waits for machines that other tests have: no more may start"),
    ]
    waiting_since: Moment | None
    worker_actors_wanted: int
    worker_actors_there: Annotated[
        int | None,
        Field(description="How many have a machine; null if the cluster does not answer"),
    ]
    by_region: list[RegionQueue]


@router.get("/workers", responses=documented(NotFound))
async def workers(test_id: UUID, caller: TestReadFirst, platform: Here) -> ShownWorkers:
    """The WorkerActors of a live test, as they were at most a second ago."""
    async with platform.database.session() as session:
        test = await tests.get(session, test_id, caller.organisation_id)
    if test.status not in tests.ACTIVE:
        return ShownWorkers(workers=[])
    return ShownWorkers(
        workers=[
            ShownWorker(
                index=one.index,
                node=one.node,
                region=one.region,
                state=one.state,
                workers=one.workers,
                active_workers=one.active_workers,
                rps=round(one.requests_per_second, 1),
                cpu_share=round(one.cpu_share, 3),
                loop_lag_ms=round(one.loop_lag_seconds * 1000, 1),
                overloaded=one.overloaded,
                last_heartbeat_at=None
                if one.heartbeat_at is None
                else timestamp(datetime.fromtimestamp(one.heartbeat_at, UTC)),
            )
            for one in await test_run.worker_states(test_id)
        ]
    )


@router.get("/queue", responses=documented(NotFound))
async def queue(test_id: UUID, caller: TestReadFirst, platform: Here) -> ShownQueue:
    """What a test waits for before it is ready, and how many wait before it."""
    async with platform.database.session() as session:
        test = await tests.get(session, test_id, caller.organisation_id)
        before = await tests.provisioned_before(session, test)
    live = test.status in tests.ACTIVE
    found = queue_status(
        test,
        before,
        await platform.reservations.look() if live else {},
        posts_of(test, Capacity.of(platform.settings)),
    )
    return ShownQueue(
        test_id=test_id,
        status=test.status,
        waiting=found.waiting,
        position=found.position,
        waiting_for=found.waiting_for,
        region_full=found.is_region_full,
        waiting_since=None if found.waiting_since is None else timestamp(found.waiting_since),
        worker_actors_wanted=found.wanted,
        worker_actors_there=found.there,
        by_region=[
            RegionQueue(
                region=one.region,
                worker_actors_wanted=one.wanted,
                worker_actors_there=one.there,
            )
            for one in found.by_region
        ],
    )
