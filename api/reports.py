"""``/api/v1/tests/:test_id/report``: the result of a test that has ended, as a file.

An extension of the reference, with the files that ``fusillade run`` writes.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.authentication import TestReadFirst
from api.downloads import documented_files, download
from api.errors import documented
from api.failures import Failures
from api.fields import Moment
from api.platform import Here
from api.shown_tests import SeriesPoint
from api.structs import described_by
from fusillade.errors import InvalidState, NotFound
from fusillade.metrics.summary import Summary
from fusillade.reports.stored_result import stored_result
from fusillade.storage import failures, tests

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])


class Report(BaseModel):
    """Everything about a run, as one document."""

    name: str
    started_at: Moment
    status: Literal["passed", "thresholds crossed", "failed"]
    reason: Annotated[str | None, Field(description="Why it failed or ended early: a sentence")]
    scenarios: Annotated[list[str], Field(description="What was run, in words")]
    summary: Annotated[dict[str, Any], described_by(Summary)]
    series: Annotated[
        list[Annotated[dict[str, Any], described_by(SeriesPoint)]],
        Field(description="One point a second, in order"),
    ]
    failures: Failures


@router.get(
    "/report",
    response_model=Report,
    responses=documented_files("html", "junit", "csv") | documented(NotFound, InvalidState),
)
async def report(
    request: Request,
    test_id: UUID,
    caller: TestReadFirst,
    platform: Here,
    kind: Annotated[
        Literal["html", "junit", "csv", "json"],
        Query(
            alias="format",
            description="A page for people, JUnit XML with a case for each threshold and check, "
            "the seconds as CSV, or everything as JSON",
        ),
    ] = "html",
) -> Response:
    """The report of a test that has ended."""
    async with platform.database.session() as session:
        test = await tests.get(session, test_id, caller.organisation_id)
        if test.status not in tests.ENDED:
            raise InvalidState(
                f"The test is {test.status}; there is a report once a test has ended."
            )
        points = await tests.series(session, test_id)
        records = await failures.of_test(session, test_id)
    return await download(request, stored_result(test, points, records), kind)
