"""``/api/v1/tests/:test_id/series``, ``/summary`` and ``/log``: results so far of a live test, and
those that are stored of one that has ended.

An extension of the reference, for who looks at a live test and was not there from its start.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from actors import progress
from api.authentication import TestReadFirst
from api.downloads import documented_files, download
from api.errors import documented
from api.platform import Here
from api.shown_tests import SeriesPoint, Status
from api.structs import described_by
from fusillade.errors import NotFound
from fusillade.metrics.summary import Summary
from fusillade.reports.stored_result import stored_result
from fusillade.storage import tests
from fusillade.storage.models import Test

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])


class SeriesSoFar(BaseModel):
    """The seconds of a run that are complete."""

    test_id: UUID
    status: Status
    series: list[Annotated[dict[str, Any], described_by(SeriesPoint)]]


class SummaryOfNow(BaseModel):
    """The result of a run as it would be if it ended now."""

    test_id: UUID
    status: Status
    summary: Annotated[
        Annotated[dict[str, Any], described_by(Summary)] | None,
        Field(description="Null before there are results"),
    ]


class LogLines(BaseModel):
    """The first lines that the script has printed, on all WorkerActors."""

    test_id: UUID
    status: Status
    lines: Annotated[list[str], Field(examples=[["log: hello", "warning: a slow answer"]])]


@router.get(
    "/series",
    response_model=SeriesSoFar,
    responses=documented_files("csv", "parquet") | documented(NotFound),
)
async def series(
    request: Request,
    test_id: UUID,
    caller: TestReadFirst,
    platform: Here,
    after: Annotated[
        int, Query(ge=-1, description="Only what comes after this second; -1 for all")
    ] = -1,
    kind: Annotated[
        Literal["json", "csv", "parquet"],
        Query(
            alias="format", description="CSV and Parquet are files; docs/data.md has the columns"
        ),
    ] = "json",
) -> Any:
    """One point a second, in order; of a live test those of the seconds that are complete."""
    test = await _test(platform, test_id, caller.organisation_id)
    if test.status in tests.ENDED:
        async with platform.database.session() as session:
            points = await tests.series(session, test_id)
        points = [point for point in points if point["second"] > after]
    else:
        points = await progress.series_after(test_id, after)
    if kind != "json":
        return await download(request, stored_result(test, points), kind, ".series")
    return SeriesSoFar(test_id=test_id, status=test.status, series=points)


@router.get("/summary", responses=documented(NotFound))
async def summary(test_id: UUID, caller: TestReadFirst, platform: Here) -> SummaryOfNow:
    """The summary of a test: of a live one it is at most a second old."""
    test = await _test(platform, test_id, caller.organisation_id)
    found = test.summary
    if test.status == "running":
        found = await progress.summary_of_now(test_id)
    return SummaryOfNow(test_id=test_id, status=test.status, summary=found)


@router.get("/log", responses=documented(NotFound))
async def log(test_id: UUID, caller: TestReadFirst, platform: Here) -> LogLines:
    """What the script has printed with ``console``, and warnings about it: the first lines."""
    test = await _test(platform, test_id, caller.organisation_id)
    if test.status in tests.ENDED:
        lines = (test.summary or {}).get("log", [])
    else:
        lines = await progress.log_lines(test_id)
    return LogLines(test_id=test_id, status=test.status, lines=lines)


async def _test(platform: Here, test_id: UUID, organisation_id: UUID) -> Test:
    async with platform.database.session() as session:
        return await tests.get(session, test_id, organisation_id)
