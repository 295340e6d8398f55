"""The ExportActor: writes the series of runs to where ``FUSILLADE_EXPORT_URL`` says. One for a
platform that has the setting.

What is written and what is to be is in the database. So it may be killed at any moment: Ray starts
it again, and it goes on with what it finds.
"""

import asyncio
import logging
from typing import Any

import ray

from actors import log, names
from actors.config import Watching
from fusillade.exports.exporter import Exporter
from fusillade.settings import Settings
from fusillade.storage.database import Database

_CONNECTIONS = 1
_RETRY_SECONDS = 15.0

_log = logging.getLogger(__name__)


class ExportActor:
    """Runs an exporter for as long as it lives."""

    def __init__(self, database_url: str, export_url: str, watching: Watching) -> None:
        log.begin(watching, names.EXPORTS)
        _log.info("the series of runs are written to %s", export_url)
        self._exporter = Exporter(Database(database_url, pool_size=_CONNECTIONS), export_url)
        self._life = asyncio.get_running_loop().create_task(self._live())

    def __repr__(self) -> str:
        return "ExportActor"

    async def _live(self) -> None:
        while True:
            try:
                await self._exporter.run()
            except Exception:  # whatever it is: what is to be written is still there
                _log.exception("the exporter")
            await asyncio.sleep(_RETRY_SECONDS)


remote: Any = ray.remote(ExportActor)
_OPTIONS = {"num_cpus": 0, "max_restarts": -1, "resources": names.ON_HEAD_NODE}


def launch(settings: Settings) -> None:
    """Have an ExportActor, where there is somewhere to write to; one that is there stays."""
    if settings.export_url is not None:
        remote.options(**names.options(names.EXPORTS, **_OPTIONS)).remote(
            settings.database_url, settings.export_url, Watching.of(settings)
        )
