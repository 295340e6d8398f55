"""Tests come into being here, whichever endpoint was called: checked, stored, and set going."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.authentication import Caller
from api.platform import Platform
from api.shown_tests import Status
from fusillade import creation
from fusillade.creation import First, Plan, Then
from fusillade.errors import (
    DomainBlocked,
    DurationLimitExceeded,
    FusilladeError,
    InvalidScript,
    RegionRestricted,
    ScriptTooLarge,
    WorkerLimitExceeded,
)
from fusillade.hosting.messages import Loaded
from fusillade.plans import Limits, limits_of
from fusillade.storage import accounts
from fusillade.storage.models import Test

CREATION_ERRORS: tuple[type[FusilladeError], ...] = (
    WorkerLimitExceeded,
    DurationLimitExceeded,
    RegionRestricted,
    DomainBlocked,
    InvalidScript,
    ScriptTooLarge,
)
"""What may be wrong with a test that is to be created, now or later."""


class CreatedTest(BaseModel):
    """A test that has just been created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"test_id": "550e8400-e29b-41d4-a716-446655440000", "status": "provisioning"}
            ]
        }
    )

    test_id: UUID
    status: Status


async def limits(platform: Platform, caller: Caller) -> Limits:
    """What the caller's plan allows."""
    async with platform.database.session() as session:
        organisation = await accounts.organisation(session, caller.organisation_id)
    return limits_of(organisation, platform.settings)


async def check(platform: Platform, caller: Caller, plan: Plan) -> Loaded:
    """Whether the caller could create such a test now. Raises the error of what forbids it."""
    return await creation.check(
        plan,
        organisation_id=caller.organisation_id,
        database=platform.database,
        settings=platform.settings,
        validate=platform.validate,
    )


async def create(
    platform: Platform,
    caller: Caller,
    plan: Plan,
    *,
    start_when_ready: bool = False,
    first: First | None = None,
    then: Then | None = None,
) -> Test:
    """A new test, which is provisioned from now on. Raises the error of what forbids it, and what
    ``first`` and ``then`` raise."""
    test = await creation.create_test(
        plan,
        organisation_id=caller.organisation_id,
        created_by=caller.user.id,
        start_when_ready=start_when_ready,
        first=first,
        then=then,
        database=platform.database,
        settings=platform.settings,
        validate=platform.validate,
    )
    await platform.poke(test.id)
    return test
