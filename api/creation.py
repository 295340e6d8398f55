"""Tests come into being here, whichever endpoint was called: checked, stored, and set going."""

from api.authentication import Caller
from api.platform import Platform
from fusillade import creation
from fusillade.creation import Plan
from fusillade.hosting.messages import Loaded
from fusillade.storage.models import Test


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
    platform: Platform, caller: Caller, plan: Plan, *, start_when_ready: bool = False
) -> Test:
    """A new test, which is provisioned from now on. Raises the error of what forbids it."""
    test = await creation.create_test(
        plan,
        organisation_id=caller.organisation_id,
        created_by=caller.user.id,
        start_when_ready=start_when_ready,
        database=platform.database,
        settings=platform.settings,
        validate=platform.validate,
    )
    await platform.poke(test.id)
    return test
