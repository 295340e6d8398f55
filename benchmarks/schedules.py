"""What 10,000 schedules cost while none is due, and how late 1,000 are that are due at once.

On the bundled PostgreSQL, with the scheduler in this process and without Ray: a firing counts as
done when its test's actor would be launched, which is after the commit of its test.

    python benchmarks/schedules.py [--idle-seconds 120]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psutil
import sqlalchemy
from sqlalchemy import text

from fusillade import passwords
from fusillade.hosting.messages import Loaded
from fusillade.scheduling import checked
from fusillade.scheduling.scheduler import Scheduler
from fusillade.settings import Settings
from fusillade.storage import accounts, bundled, database, schedules
from fusillade.storage.models import Schedule

_IDLE, _DUE = 10_000, 1_000
_SCRIPT = "export default function () { http.get('https://api.example.com/'); }"
_LOADED = Loaded(options={}, duration_seconds=60, workers=10, exports=["default"])
_AHEAD = timedelta(seconds=5)
_ROWS = text(
    """
    INSERT INTO schedules (id, organisation_id, name, script_content, workers, duration_seconds,
        region, cron_expression, timezone, active, next_run_at, checked)
    SELECT gen_random_uuid(), :organisation, 'Schedule ' || i, :script, 10, 60, 'eu-hel1',
        :cron, 'Europe/Helsinki', true, :next, CAST(:checked AS jsonb)
    FROM generate_series(1, :count) AS i
    """
)


async def _organisation(store: database.Database, number: int) -> UUID:
    async with store.session() as session:
        user = await accounts.create_organisation_with_owner(
            session, name=f"Org {number}", email=f"{number}@example.com", password="password"
        )
        return user.organisation_id


async def _store(store: database.Database, organisation: UUID, count: int, due: datetime) -> None:
    cron = f"{due.second} {due.minute} * * * * *"
    one = Schedule(name="", script_content=_SCRIPT, workers=10, duration_seconds=60, region="")
    kept = checked.kept(schedules.plan_of(one), _LOADED)
    values = {"organisation": organisation, "script": _SCRIPT, "cron": cron, "next": due}
    values |= {"checked": msgspec.json.encode(kept).decode(), "count": count}
    async with store.session() as session:
        await session.execute(_ROWS, values)


class _Watched:
    """A scheduler that runs, and what it does."""

    def __init__(self, url: str) -> None:
        self.store = database.Database(url, pool_size=4)
        self.fired: list[datetime] = []
        self.statements = 0
        engine = self.store._engine.sync_engine
        sqlalchemy.event.listen(engine, "before_cursor_execute", self._count)
        self._scheduler = Scheduler(
            self.store, Settings(), validate=self._validate, launch=self._launch
        )
        self._task = asyncio.create_task(self._scheduler.run(url))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.store.dispose()

    async def ready(self) -> None:
        """Wait until it has looked and has nothing under way."""
        await _until(lambda: self._scheduler.looked_at is not None)
        await _until(lambda: self._scheduler.under_way == 0)

    async def _launch(self, test_id: UUID) -> None:
        self.fired.append(datetime.now(UTC))

    async def _validate(self, *_: Any) -> Loaded:
        raise AssertionError("the scripts are checked")

    def _count(self, *_: Any) -> None:
        self.statements += 1


async def _idle(
    url: str, store: database.Database, postgres: list[psutil.Process], seconds: float
) -> None:
    organisation = await _organisation(store, 0)
    await _store(store, organisation, _IDLE, datetime.now(UTC) + timedelta(days=1))
    watched = _Watched(url)
    await watched.ready()
    await asyncio.sleep(2)
    statements, mine, theirs = watched.statements, time.process_time(), _cpu(postgres)
    await asyncio.sleep(seconds)
    statements = watched.statements - statements
    mine, theirs = time.process_time() - mine, _cpu(postgres) - theirs
    await watched.stop()
    print(
        f"{_IDLE:,} schedules, none due, for {seconds:g} s: {statements} statements, "
        f"{mine / seconds:.3%} of a core in the scheduler, {theirs / seconds:.3%} in PostgreSQL"
    )


def _cpu(processes: list[psutil.Process]) -> float:
    """Seconds that PostgreSQL has used, its children included."""
    total = 0.0
    for process in processes:
        for one in (process, *process.children(recursive=True)):
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
    return total


async def _burst(url: str, store: database.Database, organisations: int) -> None:
    watched = _Watched(url)
    await watched.ready()
    ids = [await _organisation(store, organisations * 1000 + n) for n in range(organisations)]
    due = datetime.now(UTC).replace(microsecond=0) + _AHEAD
    for one in ids:
        await _store(store, one, _DUE // organisations, due)
    async with store.session() as session:
        await schedules.notices.tell(session, schedules.CHANNEL)
    cpu = time.process_time()
    await _until(lambda: len(watched.fired) == _DUE)
    cpu = time.process_time() - cpu
    await watched.ready()
    late = sorted((moment - due).total_seconds() for moment in watched.fired)
    cuts = statistics.quantiles(late, n=100)
    print(
        f"{_DUE:,} due at once, {organisations} organisation(s): first {late[0]:.3f} s late, "
        f"median {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, last {late[-1]:.2f} s; "
        f"{watched.statements / _DUE:.1f} statements and {cpu / _DUE * 1000:.1f} ms of CPU each"
    )
    await watched.stop()


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise SystemExit("it has not come to an end")


async def _measure(url: str, data_dir: Path, seconds: float) -> None:
    store = database.Database(url)
    pid = int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    for organisations in (1, 100):
        await _burst(url, store, organisations)
    await _idle(url, store, [psutil.Process(pid)], seconds)
    await store.dispose()


def main() -> None:
    passwords.ROUNDS = 4
    parser = argparse.ArgumentParser()
    parser.add_argument("--idle-seconds", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as directory:
        data_dir = Path(directory)
        try:
            url = bundled.start(data_dir)
            database.upgrade(url)
            asyncio.run(_measure(url, data_dir, arguments.idle_seconds))
        finally:
            bundled.stop(data_dir)


if __name__ == "__main__":
    main()
