"""What happens for one claimed firing: its test is created, or what refuses it is noted.

Each step is a transaction, and what comes next depends on the row alone. So whoever finds a firing
unsettled goes on with it, and a step that was done is not done again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import creation
from fusillade.creation import Validate
from fusillade.errors import FusilladeError, InternalError
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.scheduling import checked
from fusillade.settings import Settings
from fusillade.storage import firings, schedules
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.firings import Key
from fusillade.storage.models import Schedule, Test
from fusillade.webhooks import outbox

REFUSALS_TOLD = 3
"""After so many refusals in a row the owner of a schedule is told."""

_AT_ONCE = 4
_LAUNCHES_AT_ONCE = 4

_log = logging.getLogger(__name__)

Launch = Callable[[UUID], Awaitable[None]]
"""Has a test's actor look at its row; it may be called again for the same test."""
Clock = Callable[[], datetime]


class _SomebodyElse(Exception):
    """The firing is not pending any more."""


@dataclass
class Fire:
    """Called with a claimed firing; many may be under way at once."""

    database: Database
    settings: Settings
    validate: Validate
    launch: Launch
    clock: Clock
    # A script that takes long to check, or an actor that takes long to launch, holds up no other.
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _launches: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_LAUNCHES_AT_ONCE)
    )

    async def __call__(self, key: Key) -> None:
        """Do what is left to be done. Raises ``StorageUnavailable``, and what ``launch`` raises."""
        async with self._turns, self.database.session() as session:
            found = await firings.find(session, key)
        if found is None:
            return  # deleted meanwhile
        firing, schedule = found
        test_id = firing.test_id
        if firing.status == "pending":
            try:
                test_id = await self._create(key, schedule)
            except _SomebodyElse:
                return
            except StorageUnavailable:
                raise
            except FusilladeError as error:
                await self._refuse(key, error)
                return
            except Exception:
                _log.exception("schedule %s at %s", *key)
                problem = "The platform made an error; its log has the details."
                await self._refuse(key, InternalError(problem))
                return
        if test_id is not None:
            async with self._launches:
                await self.launch(test_id)
        async with self._turns, self.database.session() as session:
            await firings.settle(session, key, self.clock())

    async def _create(self, key: Key, schedule: Schedule) -> UUID:
        """Create the test, as the API does, and note it on the firing in the same transaction."""
        plan = schedules.plan_of(schedule)
        loaded, is_new = checked.of(plan, schedule.checked), False
        if loaded is None:
            overrides = Overrides(workers=plan.workers, duration_seconds=plan.duration_seconds)
            loaded = await self.validate(plan.files, plan.entry, dict(plan.env), overrides)
            is_new = True
        result = loaded

        async def known(*_: object) -> Loaded:
            return result

        async def first(session: AsyncSession, test_id: UUID) -> None:
            if not await firings.lock_pending(session, key):
                raise _SomebodyElse

        async def then(session: AsyncSession, test: Test) -> None:
            await firings.note_fired(session, key, test.id, self.clock())
            await outbox.tell(session, "test.scheduled", test, schedule_id=str(schedule.id))
            if is_new:
                await schedules.note_checked(session, schedule.id, checked.kept(plan, result))

        async with self._turns:
            test = await creation.create_test(
                plan,
                organisation_id=schedule.organisation_id,
                created_by=schedule.created_by,
                start_when_ready=True,
                first=first,
                then=then,
                database=self.database,
                settings=self.settings,
                validate=known,
            )
        return test.id

    async def _refuse(self, key: Key, error: FusilladeError) -> None:
        async with self._turns, self.database.session() as session:
            if not await firings.lock_pending(session, key):
                return
            schedule = await firings.note_refused(session, key, error, self.clock())
            if schedule.refusals == REFUSALS_TOLD:
                data = _refused(schedule, error)
                await outbox.emit(session, schedule.organisation_id, "test.failed", data)


def _refused(schedule: Schedule, error: FusilladeError) -> dict[str, Any]:
    """What webhooks are told of a test that there is not, in the fields of one that there is."""
    return {
        "test_id": None,
        "name": schedule.name,
        "status": "failed",
        "workers": schedule.workers,
        "duration_seconds": schedule.duration_seconds,
        "p95_latency_ms": None,
        "error_rate": None,
        "target_urls": [],
        "threshold_results": None,
        "reason": f"The schedule was refused {schedule.refusals} times in a row: {error.message}",
        "code": error.code,
        "schedule_id": str(schedule.id),
    }
