"""What happens for one claimed firing: its test is created, or what refuses it is noted.

Each step is a transaction, and what comes next depends on the row alone. So whoever finds a firing
unsettled goes on with it, and a step that was done is not done again.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import creation
from fusillade.creation import Plan, Validate
from fusillade.errors import FusilladeError, InternalError
from fusillade.hosting.messages import Loaded, Overrides
from fusillade.scheduling import checked
from fusillade.scheduling.due import too_late
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


class Fire:
    """Called with a claimed firing; many may be under way at once."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        validate: Validate,
        launch: Launch,
        clock: Clock,
    ) -> None:
        self._database = database
        self._settings = settings
        self._validate = validate
        self._launch = launch
        self._clock = clock
        self._grace = timedelta(seconds=settings.schedule_grace_seconds)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._launches = asyncio.Semaphore(_LAUNCHES_AT_ONCE)
        self._done: list[Key] = []
        """Firings that are to be settled, many in one transaction."""
        self._settling = asyncio.Lock()
        self.counts: Counter[str] = Counter(fired=0, refused=0, missed=0)
        """Instants by what became of them."""

    async def __call__(self, key: Key) -> None:
        """Do what is left to be done. Raises ``StorageUnavailable``, and what ``launch`` raises."""
        async with self._turns:
            async with self._database.session() as session:
                found = await firings.find(session, key)
            if found is None:
                return  # deleted meanwhile
            firing, schedule = found
            test_id = firing.test_id
            if firing.status == "pending":
                late = self._clock() - key.fire_time
                if late > self._grace:
                    await self._miss(key, late)
                    return
                test_id = await self._create_or_refuse(key, schedule)
                if test_id is None:
                    return
        if test_id is not None:
            async with self._launches:
                await self._launch(test_id)
        await self._settle(key)
        if test_id is not None:
            _log.info("schedule %s at %s: test %s", *key, test_id)
            self.counts["fired"] += 1

    async def _create_or_refuse(self, key: Key, schedule: Schedule) -> UUID | None:
        """The test of the firing; None if there will be none, or somebody else makes it."""
        try:
            return await self._create(key, schedule)
        except _SomebodyElse:
            return None
        except StorageUnavailable:
            raise
        except FusilladeError as error:
            await self._refuse(key, error)
        except Exception:
            _log.exception("schedule %s at %s", *key)
            problem = "The platform made an error; its log has the details."
            await self._refuse(key, InternalError(problem))
        return None

    async def _create(self, key: Key, schedule: Schedule) -> UUID:
        """Create the test, as the API does, and note it on the firing in the same transaction."""
        plan = schedules.plan_of(schedule)
        kept = checked.of(plan, schedule.checked)
        if kept is None:
            async with self._aside():
                loaded = await self._check(plan)
        else:
            loaded = kept

        async def known(*_: object) -> Loaded:
            return loaded

        async def first(session: AsyncSession, test_id: UUID) -> None:
            if not await firings.lock_pending(session, key):
                raise _SomebodyElse

        async def then(session: AsyncSession, test: Test) -> None:
            await firings.note_fired(session, key, test.id, self._clock())
            if kept is None:
                await schedules.note_checked(session, schedule.id, checked.kept(plan, loaded))
            await outbox.tell(session, "test.scheduled", test, schedule_id=str(schedule.id))

        test = await creation.create_test(
            plan,
            organisation_id=schedule.organisation_id,
            created_by=schedule.created_by,
            start_when_ready=True,
            first=first,
            then=then,
            database=self._database,
            settings=self._settings,
            validate=known,
        )
        return test.id

    async def _check(self, plan: Plan) -> Loaded:
        overrides = Overrides(workers=plan.workers, duration_seconds=plan.duration_seconds)
        return await self._validate(plan.files, plan.entry, dict(plan.env), overrides)

    @contextlib.asynccontextmanager
    async def _aside(self) -> AsyncIterator[None]:
        """Let others have the turn meanwhile: what takes long holds up nobody."""
        self._turns.release()
        try:
            yield
        finally:
            await self._turns.acquire()

    async def _settle(self, key: Key) -> None:
        self._done.append(key)
        async with self._settling:
            # Whoever comes first settles all; the others find that there is nothing left.
            done, self._done = self._done, []
            if done:
                async with self._database.session() as session:
                    await firings.settle(session, done, self._clock())

    async def _miss(self, key: Key, late: timedelta) -> None:
        """Whoever claimed it has died, and nobody was there for long."""
        async with self._database.session() as session:
            if await firings.lock_pending(session, key):
                message = too_late(late, self._grace)
                await firings.note_missed(session, key, message, self._clock())
                self.counts["missed"] += 1
                _log.info("schedule %s at %s: missed: %s", *key, message)

    async def _refuse(self, key: Key, error: FusilladeError) -> None:
        async with self._database.session() as session:
            if not await firings.lock_pending(session, key):
                return
            schedule = await firings.note_refused(session, key, error, self._clock())
            self.counts["refused"] += 1
            _log.info("schedule %s at %s: refused: %s", *key, error)
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
