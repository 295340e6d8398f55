"""Schedulers in processes of their own, each killed by SIGKILL at one of its steps.

Run as a program it starts one child for each line that it reads, so that the imports are paid for
once. A step is what happens between two moments at which the database or Ray would notice a death:
before and after each commit, before and after each launch.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

HERE = Path(__file__)


@dataclass
class Life:
    """How one scheduler fared."""

    was_killed: bool
    steps: list[str]
    """All that it has reached."""
    launched: list[UUID]


class Schedulers:
    """Speaks to the program."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self._url = url

    async def run(self, at: datetime, kill_at: str = "") -> Life:
        """Let one be there when something is due, and die at a step if one is given."""
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        command = {"url": self._url, "at": at.isoformat(), "kill_at": kill_at}
        writer.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(60):
            answer = json.loads(await reader.readline())
        return Life(
            answer["signal"] == signal.SIGKILL,
            [line[5:] for line in answer["lines"] if line.startswith("step ")],
            [UUID(line[7:]) for line in answer["lines"] if line.startswith("launch ")],
        )


@contextlib.asynccontextmanager
async def schedulers(url: str) -> AsyncIterator[Schedulers]:
    """The program, on a database."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the tests have a directory of the name of the package
        str(HERE),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Schedulers(process, url)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def main() -> None:
    for line in sys.stdin:
        command = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.dup2(writer, 1)
            try:
                asyncio.run(live(command))
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader) as said:
            lines = said.read().splitlines()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"signal": os.WTERMSIG(status), "lines": lines}), flush=True)


async def live(command: dict[str, Any]) -> None:
    """One scheduler, a while before something is due and at that moment."""
    from fusillade.scheduling.scheduler import Scheduler
    from fusillade.settings import Settings
    from fusillade.storage.database import Database

    at = datetime.fromisoformat(command["at"])
    now = at - timedelta(seconds=10)
    database = Database(command["url"], pool_size=2)
    transaction = database.session
    commits = 0

    def step(name: str) -> None:
        if now == at:
            os.write(1, f"step {name}\n".encode())
            if name == command["kill_at"]:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.asynccontextmanager
    async def session() -> AsyncIterator[Any]:
        nonlocal commits
        commits += now == at
        number = commits
        async with transaction() as opened:
            yield opened
            step(f"before commit {number}")
        step(f"after commit {number}")

    async def launch(test_id: UUID) -> None:
        step("before launch")
        os.write(1, f"launch {test_id}\n".encode())
        step("after launch")

    async def validate(*_: object) -> Any:
        raise AssertionError("it was checked when it was stored")

    database.session = session  # type: ignore[method-assign]
    settings = Settings(max_workers=5)
    scheduler = Scheduler(database, settings, validate=validate, launch=launch, clock=lambda: now)
    await scheduler.look()
    now = at
    await scheduler.look()
    await scheduler.idle()
    os._exit(0)


if __name__ == "__main__":
    # All that a scheduler imports, before the first child.
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

    main()
