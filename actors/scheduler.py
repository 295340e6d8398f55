"""The SchedulerActor: creates and starts the tests of schedules, in time. One for a platform.

What is due, what has been claimed and what became of it is in the database. So it may be killed at
any moment: Ray starts it again, and it goes on with what it finds.
"""

import asyncio
import functools
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import ray

from actors import cluster_health, log, names, published, test_run
from actors.config import RunConfig, Watching
from fusillade.hosting.validator import Validator
from fusillade.metrics import catalogue
from fusillade.metrics.live import timestamp
from fusillade.scheduling.scheduler import LOOK_SECONDS, Scheduler
from fusillade.settings import Settings
from fusillade.storage import standing, tests
from fusillade.storage.database import Database
from fusillade.storage.standing import EndedTests

_CONNECTIONS = 4
_VALIDATIONS_AT_ONCE = 2
_LAUNCH_SECONDS = 30.0

_log = logging.getLogger(__name__)


class SchedulerActor:
    """Runs a scheduler for as long as it lives."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        watching = Watching.of(settings)
        log.begin(watching, names.SCHEDULER)
        published.begin(watching, names.SCHEDULER)
        validator = Validator(_VALIDATIONS_AT_ONCE, settings.validation_seconds)
        database = Database(settings.database_url, pool_size=_CONNECTIONS)
        self._scheduler = Scheduler(
            database,
            settings,
            validate=validator.validate,
            launch=functools.partial(_launch, database=database, config=RunConfig.of(settings)),
        )
        running = self._scheduler.run(settings.database_url)
        _log.info("schedules are looked at")
        loop = asyncio.get_running_loop()
        self._life = loop.create_task(running)
        ended = EndedTests(datetime.now(UTC))
        self._showing = loop.create_task(
            published.again_and_again(lambda: self._show(database, ended))
        )

    def __repr__(self) -> str:
        return "SchedulerActor"

    async def state(self) -> dict[str, Any]:
        """When it last looked, what is under way and when the next schedule is due."""
        looked_at, next_time = self._scheduler.looked_at, self._scheduler.next_time
        return {
            "looked_at": None if looked_at is None else timestamp(looked_at),
            "next_firing": None if next_time is None else timestamp(next_time),
            "under_way": self._scheduler.under_way,
        }

    async def _show(self, database: Database, ended: EndedTests) -> None:
        """Show how schedules stand, and all tests. Raises ``StorageUnavailable``."""
        now = datetime.now(UTC)
        async with database.session() as session:
            waiting = await standing.schedules(session, now)
            live = await standing.live_tests(session)
            await ended.look(session, now)
        published.show(catalogue.SCHEDULES_DUE, waiting.count)
        published.show(catalogue.SCHEDULER_LAG, waiting.oldest_seconds)
        published.show_each(catalogue.FIRINGS, self._scheduler.counts)
        published.show_each(catalogue.TESTS, live)
        published.show_each(catalogue.TESTS_ENDED, ended.counts)


async def _launch(test_id: UUID, *, database: Database, config: RunConfig) -> None:
    """Raises ``TimeoutError``, ``StorageUnavailable`` and what Ray raises; then it is tried again
    later."""
    async with asyncio.timeout(_LAUNCH_SECONDS):
        async with database.session() as session:
            name = await tests.name_of(session, test_id)
        await asyncio.to_thread(test_run.launch, test_id, config, name)


remote: Any = ray.remote(SchedulerActor)
_OPTIONS = {"num_cpus": 0, "max_restarts": -1, "resources": names.ON_HEAD_NODE}


def launch(settings: Settings) -> None:
    """Have a SchedulerActor; one that is there stays."""
    remote.options(**names.options(names.SCHEDULER, **_OPTIONS)).remote(settings)


def ask() -> dict[str, Any]:
    """Its state; blocks. Raises what :func:`cluster_health.ask_actor` raises."""
    return cluster_health.ask_actor(names.SCHEDULER, 3 * LOOK_SECONDS)
