"""``/api/v1/tests/:test_id/failures``: a sample of the requests that failed in a run.

An extension of the reference. Secrets were masked before they left the script host.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from actors import progress
from api.authentication import TestReadFirst
from api.errors import documented
from api.platform import Here
from api.shown_tests import Status
from api.structs import described_by
from fusillade.errors import NotFound
from fusillade.failures.record import FailedRequest
from fusillade.storage import failures as stored
from fusillade.storage import tests

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])

Failures = Annotated[
    list[Annotated[dict[str, Any], described_by(FailedRequest)]],
    Field(description="A sample: the first few of each endpoint and reason, 100 at most"),
]


class FailedRequests(BaseModel):
    """Requests that failed, with what was sent and what came back."""

    test_id: UUID
    status: Status
    failures: Failures


@router.get("/failures", responses=documented(NotFound))
async def failures(test_id: UUID, caller: TestReadFirst, platform: Here) -> FailedRequests:
    """A sample of the requests that failed by status, error or check; of a live test those so
    far."""
    async with platform.database.session() as session:
        test = await tests.get(session, test_id, caller.organisation_id)
        records = await stored.of_test(session, test_id)
    if test.status == "running":
        records = await progress.failures(test_id)
    return FailedRequests(
        test_id=test_id, status=test.status, failures=msgspec.to_builtins(records)
    )
