"""The WebhookDispatcher: sends what is in the outbox of webhooks. One for a platform.

What is to be sent and what became of it is in the database. So it may be killed at any moment: Ray
starts it again, and what it was sending is sent again.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import ray

from actors import cluster_health, log, names, published
from actors.config import Watching
from fusillade.metrics import catalogue
from fusillade.metrics.live import timestamp
from fusillade.settings import Settings
from fusillade.storage import standing
from fusillade.storage.database import Database
from fusillade.webhooks.dispatcher import AT_ONCE, LOOK_SECONDS, Dispatcher, Limits
from fusillade.webhooks.sender import Sender

_CONNECTIONS = 5
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class WebhookDispatcher:
    """Runs a dispatcher for as long as it lives."""

    def __init__(self, database_url: str, limits: Limits, watching: Watching) -> None:
        log.begin(watching, names.WEBHOOKS)
        published.begin(watching, names.WEBHOOKS)
        sender = Sender(
            connections=AT_ONCE, allow_private=limits.allow_private, ca_file=limits.ca_file
        )
        database = Database(database_url, pool_size=_CONNECTIONS)
        self._dispatcher = Dispatcher(database, sender, limits)
        _log.info("the outbox of webhooks is looked at")
        loop = asyncio.get_running_loop()
        self._life = loop.create_task(self._live(database_url))
        self._showing = loop.create_task(published.again_and_again(lambda: self._show(database)))

    def __repr__(self) -> str:
        return "WebhookDispatcher"

    async def state(self) -> dict[str, Any]:
        """When it last looked at the outbox, and how many messages are on their way."""
        looked_at = self._dispatcher.looked_at
        return {
            "looked_at": None if looked_at is None else timestamp(looked_at),
            "in_flight": self._dispatcher.in_flight,
        }

    async def _live(self, database_url: str) -> None:
        while True:
            try:
                await self._dispatcher.run(database_url)
            except Exception:  # whatever it is: the outbox is still there
                _log.exception("the dispatcher of webhooks")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _show(self, database: Database) -> None:
        """Show how the outbox stands. Raises ``StorageUnavailable``."""
        async with database.session() as session:
            waiting = await standing.webhooks(session, datetime.now(UTC))
        published.show(catalogue.WEBHOOK_BACKLOG, waiting.count)
        published.show(catalogue.WEBHOOK_OLDEST, waiting.oldest_seconds)
        published.show_each(catalogue.WEBHOOK_ATTEMPTS, self._dispatcher.attempts)


remote: Any = ray.remote(WebhookDispatcher)
_OPTIONS = {"num_cpus": 0, "max_restarts": -1, "resources": names.ON_HEAD_NODE}


def launch(settings: Settings) -> None:
    """Have a WebhookDispatcher; one that is there stays."""
    remote.options(**names.options(names.WEBHOOKS, **_OPTIONS)).remote(
        settings.database_url, Limits.of(settings), Watching.of(settings)
    )


def ask() -> dict[str, Any]:
    """Its state; blocks. Raises what :func:`cluster_health.ask_actor` raises."""
    return cluster_health.ask_actor(names.WEBHOOKS, 3 * LOOK_SECONDS)
