"""``/api/v1/tests/:test_id/pause`` and ``/resume``."""

import time
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.authentication import TestCreateFirst
from api.errors import documented
from api.platform import Here
from fusillade.errors import InvalidState, NotFound
from fusillade.storage import pauses, tests

router = APIRouter(prefix="/api/v1/tests/{test_id}", tags=["tests"])


class PausedTest(BaseModel):
    """A running test, and whether it is paused."""

    test_id: UUID
    status: Literal["running"]
    paused: bool


@router.post("/pause", responses=documented(NotFound, InvalidState))
async def pause(test_id: UUID, caller: TestCreateFirst, platform: Here) -> PausedTest:
    """Pause a running test: iterations under way end, and no new ones begin.

    Its duration, its stages and its rates stand still; after a while (an hour, if the platform's
    settings do not say otherwise) it is stopped.
    """
    async with platform.database.session() as session:
        await tests.get(session, test_id, caller.organisation_id)
        await pauses.pause(session, test_id, time.time())
    await platform.poke(test_id)
    return PausedTest(test_id=test_id, status="running", paused=True)


@router.post("/resume", responses=documented(NotFound, InvalidState))
async def resume(test_id: UUID, caller: TestCreateFirst, platform: Here) -> PausedTest:
    """Resume a paused test: its load goes on where it was."""
    async with platform.database.session() as session:
        await tests.get(session, test_id, caller.organisation_id)
        await pauses.resume(session, test_id, time.time())
    await platform.poke(test_id)
    return PausedTest(test_id=test_id, status="running", paused=False)
