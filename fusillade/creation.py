"""How a test comes into being, whoever asks for it: a form, a template or a schedule."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import quota, regions
from fusillade.blocklist import Blocklist, host_of, rules
from fusillade.errors import (
    DomainBlocked,
    DurationLimitExceeded,
    RegionRestricted,
    ValidationFailed,
    WorkerLimitExceeded,
)
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.plans import Limits, check_script_size, limits_of
from fusillade.settings import Settings
from fusillade.storage import accounts, tests
from fusillade.storage.database import Database
from fusillade.storage.models import Test

ENTRY = "script.js"
"""Path of a script that came without one."""

Validate = Callable[[dict[str, bytes], str, dict[str, str], Overrides], Awaitable[Loaded]]
"""Compiles a script and runs its init code: files, entry, variables, overrides. Raises
``InvalidScript``."""

First = Callable[[AsyncSession, UUID], Awaitable[None]]
"""Called at the beginning of the transaction that stores a test, with the id that it will have."""

Then = Callable[[AsyncSession, Test], Awaitable[None]]
"""Called at the end of that transaction."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a test is to do. Also what a template and a schedule keep for later."""

    name: str
    workers: int
    duration_seconds: int
    region: str
    """As :mod:`fusillade.regions` has it."""
    files: dict[str, bytes]
    """By path inside the test; ``entry`` is one of them."""
    entry: str = ENTRY
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_script(cls, script: str, **fields: Any) -> "Plan":
        """A plan whose only file is ``script``."""
        return cls(files={ENTRY: script.encode()}, **fields)


async def check(
    plan: Plan,
    *,
    organisation_id: UUID,
    database: Database,
    settings: Settings,
    validate: Validate,
) -> Loaded:
    """Whether such a test could be created now, and what its script says of itself.

    Raises the error of the limit that it exceeds, and ``InvalidScript``.
    """
    async with database.session() as session:
        organisation = await accounts.organisation(session, organisation_id)
    check_limits(plan, limits_of(organisation, settings))
    overrides = Overrides(workers=plan.workers, duration_seconds=plan.duration_seconds)
    loaded = await validate(plan.files, plan.entry, dict(plan.env), overrides)
    check_targets(loaded.target_urls, settings)
    return loaded


def check_targets(urls: Iterable[str], settings: Settings) -> None:
    """Raises :class:`DomainBlocked` for the first URL whose host may not be tested. Names that lead
    to a blocked address are found when the test connects."""
    allow_private = settings.allow_private_targets
    blocklist = Blocklist(rules(settings.blocked_domains, allow_private=allow_private))
    for url in urls:
        host = host_of(url)
        if blocklist.blocks_host(host):
            raise DomainBlocked(f"The target {host} is on the blocklist of this platform.")


async def create_test(
    plan: Plan,
    *,
    organisation_id: UUID,
    created_by: UUID | None,
    start_when_ready: bool = False,
    first: First | None = None,
    then: Then | None = None,
    database: Database,
    settings: Settings,
    validate: Validate,
) -> Test:
    """Check the plan and store a test in ``provisioning``. Its actor is the caller's to start.

    The minutes of one that starts by itself are reserved now. Raises what :func:`check` raises,
    ``QuotaExceeded``, and what ``first`` and ``then`` raise.
    """
    loaded = await check(
        plan,
        organisation_id=organisation_id,
        database=database,
        settings=settings,
        validate=validate,
    )
    test = Test(
        id=uuid4(),
        organisation_id=organisation_id,
        created_by=created_by,
        name=plan.name,
        workers=plan.workers,
        duration_seconds=plan.duration_seconds,
        region=plan.region,
        entry=plan.entry,
        env=dict(plan.env),
        options=loaded.options,
        warnings=[msgspec.to_builtins(warning) for warning in loaded.warnings],
        target_urls=loaded.target_urls,
        start_when_ready=start_when_ready,
    )
    async with database.session() as session:
        if first is not None:
            await first(session, test.id)
        if start_when_ready:
            await quota.reserve(session, test, settings, datetime.now(UTC))
        await tests.create(session, test, plan.files)
        if then is not None:
            await then(session, test)
    return test


def check_limits(plan: Plan, limits: Limits) -> None:
    """Raises the documented error of the first limit that the plan exceeds."""
    if plan.workers > limits.workers:
        raise WorkerLimitExceeded(
            f"Worker limit exceeded. Your plan allows up to {limits.workers} workers."
        )
    if plan.duration_seconds > limits.duration_seconds:
        raise DurationLimitExceeded(
            f"Duration limit exceeded. Your plan allows up to {limits.duration_seconds} seconds."
        )
    for code in regions.codes_of(plan.region):
        if code not in limits.regions:
            raise RegionRestricted(
                f"Region {code} is not available on your plan. Your plan allows "
                f"{', '.join(limits.regions)}."
            )
    try:
        regions.workers_by_region(plan.region, plan.workers)
    except ValueError as error:
        raise ValidationFailed(f"region: {error}.") from error
    check_script_size(plan.files, plan.entry, limits)
