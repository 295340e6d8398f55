"""Runs a script on one script host pinned to one core, as a WorkerActor would run it."""

import asyncio
import os
import time

from peers import GENERATOR_CORE

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate


def engine_rate(script: str, users: int, seconds: int) -> float:
    """Requests/s that ended during a run of ``seconds``, all metrics on."""
    aggregate = asyncio.run(engine_run(script, Overrides(workers=users, duration_seconds=seconds)))
    return aggregate.summary().total_requests / seconds


async def engine_run(script: str, overrides: Overrides, pinned: bool = True) -> Aggregate:
    """Run ``script`` on one host; the merged metrics."""
    aggregate = Aggregate()
    async with ScriptHost() as host:
        await host.load({"script.js": script.encode()}, "script.js", overrides=overrides)
        if pinned:
            pin(host.pid)
        data = await host.setup()
        async for message in host.run(time.time() + 0.2, Share(), data):
            if isinstance(message, Delta):
                aggregate.merge(0, message.payload)
        await host.teardown(data)
    return aggregate


def pin(pid: int) -> None:
    """Keep all threads of a process on GENERATOR_CORE."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {GENERATOR_CORE})
