"""``/api/v1/tests/:test_id/report``: the result of a test that has ended, as a file.

An extension of the reference, with the files that ``fusillade run`` writes.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.authentication import TestReadFirst
from api.downloads import documented_files, download
from api.errors import documented
from api.platform import Here
from fusillade.errors import InvalidState, NotFound
from fusillade.reports.stored_result import stored_result
from fusillade.storage import tests

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])

_FILES = documented_files("html", "junit", "csv")
_FILES[200]["content"]["application/json"] = {"schema": {"type": "object"}}


@router.get(
    "/report", response_class=Response, responses=_FILES | documented(NotFound, InvalidState)
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
    return await download(request, stored_result(test, points), kind)
