"""A clock that stands still until a test moves it, and a scheduler that goes by it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from fusillade.hosting.messages import Loaded
from fusillade.scheduling import checked
from fusillade.scheduling.scheduler import Scheduler
from fusillade.settings import Settings
from fusillade.storage import schedules
from fusillade.storage.database import Database
from fusillade.storage.models import Organisation, Schedule, ScheduleFiring, Test, User

SCRIPT = "export default function () { http.get('https://api.example.com/'); }"
LOADED = Loaded(
    options={"workers": 1},
    duration_seconds=1,
    workers=1,
    exports=["default"],
    target_urls=["https://api.example.com"],
)

NIGHTLY = "0 0 2 * * * *"
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """A time as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


NIGHT = at("2026-02-06T02:00Z")
EVENING = NIGHT - timedelta(hours=6)


@dataclass
class Simulated:
    """Schedules of one organisation, on a real database and an invented clock."""

    store: Database
    user: User
    now: datetime
    settings: Settings = field(default_factory=Settings)
    launched: list[UUID] = field(default_factory=list)
    """Tests whose actor was told to look."""
    validated: list[str] = field(default_factory=list)
    """Scripts that were checked when they were due."""

    @classmethod
    async def new(cls, store: Database, now: datetime, **settings: Any) -> "Simulated":
        """An organisation of one's own."""
        async with store.session() as session:
            organisation = Organisation(name="Org")
            session.add(organisation)
            await session.flush()
            user = User(
                organisation_id=organisation.id,
                email=f"{uuid4()}@example.com",
                name="Owner",
                role="owner",
                password_hash="",  # nobody logs in, and hashing takes its time
            )
            session.add(user)
        return cls(store, user, now, Settings(**settings))

    async def schedule(self, expression: str, timezone: str = "UTC", **fields: Any) -> Schedule:
        """A new schedule, which has been checked."""
        values = {
            "name": "Nightly",
            "script_content": SCRIPT,
            "workers": 1,
            "duration_seconds": 1,
            "region": "eu-hel1",
        } | fields
        schedule = Schedule(
            organisation_id=self.user.organisation_id,
            created_by=self.user.id,
            cron_expression=expression,
            timezone=timezone,
            **values,
        )
        if "checked" not in fields:
            schedule.checked = checked.kept(schedules.plan_of(schedule), LOADED)
        async with self.store.session() as session:
            await schedules.create(session, schedule, 100_000, self.now)
        return schedule

    def scheduler(self, **changes: Any) -> Scheduler:
        """A scheduler that reads this clock; ``changes`` replace what it calls."""

        async def validate(files: dict[str, bytes], *_: Any) -> Loaded:
            self.validated += [content.decode() for content in files.values()]
            return LOADED

        async def launch(test_id: UUID) -> None:
            self.launched.append(test_id)

        calls: dict[str, Any] = {
            "validate": validate,
            "launch": launch,
            "clock": lambda: self.now,
        }
        return Scheduler(self.store, self.settings, **(calls | changes))

    async def look(self, scheduler: Scheduler, *, at: datetime) -> None:
        """Let the scheduler do all that is due at a time."""
        self.now = at
        await scheduler.look()
        await scheduler.idle()

    async def firings(self, schedule: Schedule) -> Sequence[ScheduleFiring]:
        """What became of a schedule's times, oldest first."""
        async with self.store.session() as session:
            rows = await session.scalars(
                select(ScheduleFiring)
                .where(ScheduleFiring.schedule_id == schedule.id)
                .order_by(ScheduleFiring.fire_time)
            )
            return rows.all()

    async def tests(self) -> Sequence[Test]:
        """All tests of the organisation, oldest first."""
        async with self.store.session() as session:
            rows = await session.scalars(
                select(Test)
                .where(Test.organisation_id == self.user.organisation_id)
                .order_by(Test.created_at)
            )
            return rows.all()

    async def stored(self, schedule: Schedule) -> Schedule:
        """The schedule as it is now."""
        async with self.store.session() as session:
            found = await session.get(Schedule, schedule.id)
            assert found is not None
            return found


@contextlib.asynccontextmanager
async def running(scheduler: Scheduler, simulated: Simulated) -> AsyncIterator[None]:
    """A scheduler that runs by itself."""
    url = simulated.store._engine.url.render_as_string(hide_password=False)
    task = asyncio.create_task(scheduler.run(url))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it has not come to that")
