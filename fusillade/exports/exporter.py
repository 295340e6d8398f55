"""The exporter: writes the series of each run that has ended, once, as Parquet.

Which runs are written is in the database, noted after the file is whole. So the exporter may be
killed at any moment: the file that it was writing is written again.
"""

import asyncio
import logging
from datetime import UTC
from uuid import UUID

from fusillade.exports import place
from fusillade.reports.formats import FORMATS
from fusillade.reports.result import Result
from fusillade.reports.stored_result import stored_result
from fusillade.storage import exports, tests
from fusillade.storage.database import Database, StorageUnavailable

_LOOK_SECONDS = 2.0
_RETRY_SECONDS = 15.0
_AT_ONCE = 100

_log = logging.getLogger(__name__)


class Exporter:
    """To one place; made in the event loop that uses it."""

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._url = url
        self._impossible: set[UUID] = set()
        """Runs that cannot be written, and not because of the place; others go on."""

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            wait = _LOOK_SECONDS
            try:
                await self.look()
            except (StorageUnavailable, OSError) as error:
                _log.warning("exports to %s: %s", _without_secrets(self._url), error)
                wait = _RETRY_SECONDS
            await asyncio.sleep(wait)

    async def look(self) -> int:
        """Write all runs that have ended and are not written yet; returns how many.

        Raises ``OSError`` when the place cannot be written to; the rest stays to be written.
        """
        written = 0
        while True:
            async with self._database.session() as session:
                waiting = await exports.waiting(session, _AT_ONCE, self._impossible)
            for test_id in waiting:
                written += await self._write(test_id)
            if len(waiting) < _AT_ONCE:
                return written

    async def _write(self, test_id: UUID) -> bool:
        async with self._database.session() as session:
            test = await exports.find(session, test_id)
            if test is None:
                return False  # deleted meanwhile
            points = await tests.series(session, test_id)
        try:
            result = stored_result(test, points)
            content = await asyncio.to_thread(FORMATS["parquet"].of, result)
        except Exception:  # whatever is wrong with this one: the others are to be written
            _log.exception("the series of the test %s cannot be exported", test_id)
            self._impossible.add(test_id)
            return False
        await asyncio.to_thread(place.write, self._url, file_name(result), content)
        async with self._database.session() as session:
            await exports.note(session, test_id)
        return True


def file_name(result: Result) -> str:
    """``day=2026-11-25/test=<id>/series.parquet``: the day, in UTC, on which the load began."""
    day = result.started_at.astimezone(UTC).date().isoformat()
    return f"day={day}/test={result.test_id}/series.parquet"


def _without_secrets(url: str) -> str:
    """``s3://KEY:SECRET@bucket/...`` without the keys."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else url
