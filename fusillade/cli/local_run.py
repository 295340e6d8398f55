"""A test on this machine alone: as many script hosts as there are cores, and no platform.

``fusillade run`` is made of it; it needs neither Ray nor a database. Hosts take most of a start's
time, so they are started before anything else; what is imported within functions here is imported
while they start.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusillade.engine.share import Share, split
from fusillade.hosting.messages import Delta, Loaded, Log, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied

if TYPE_CHECKING:
    from fusillade.metrics.aggregate import Aggregate
    from fusillade.metrics.summary import Summary

_START_DELAY_SECONDS = 0.02
_MOST_EARLY_HOSTS = 8
"""How many hosts are started before it is known how many workers there are."""


@dataclass
class LocalRun:
    """One run; ``await run()`` once."""

    files: dict[str, bytes]
    entry: str
    overrides: Overrides
    env: Callable[[], dict[str, str]]
    """Called while the hosts start."""
    on_loaded: Callable[[Loaded, int], None]
    """Called before the start, with the number of hosts."""
    on_metric: Callable[[dict[str, Any]], None]
    """Called once a second with a ``metric`` message."""
    on_log: Callable[[str, str], None]
    """Called with level and text of each line that the script prints."""
    dry: bool = False
    """End when ``on_loaded`` has been called."""
    reason: str | None = None
    """Why the run failed or ended early."""
    failed: bool = False
    aborted: bool = False
    """A threshold with ``abortOnFail`` was crossed."""
    begun: bool = False
    """``setup()`` has been called: a stop now has to end with ``teardown()``."""
    aggregate: "Aggregate | None" = None
    """What has been measured so far; None before ``setup()`` has returned."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """What ``handleSummary()`` returned, by relative path; without what is for the terminal."""
    stdout: str | None = None
    """What it has for the terminal, in the place of the usual summary."""
    _hosts: list[ScriptHost] = field(default_factory=list)
    _shares: list[Share] = field(default_factory=list)
    _shown: int = -1
    _stopping: bool = False

    async def run(self) -> "Summary | None":
        """Run to the end; None for a dry run.

        Raises ``InvalidScript``; ``ScriptFailed`` and ``ScriptHostDied`` for ``setup()``. What
        breaks later makes ``failed`` and ``reason``.
        """
        async with contextlib.AsyncExitStack() as stack:
            cores = len(os.sched_getaffinity(0))
            early = max(1, min(cores, self.overrides.workers or cores, _MOST_EARLY_HOSTS))
            hosts = await self._enter(stack, early)
            from fusillade.metrics.aggregate import Aggregate
            from fusillade.script.options import thresholds_of

            env = self.env()
            loading = [asyncio.ensure_future(self._load(host, env)) for host in hosts]
            try:
                loaded = await loading[0]
                count = max(1, min(cores, loaded.workers))
                if self.dry:
                    self.on_loaded(loaded, count)
                    return None
                for host in hosts[count:]:
                    await host.close()
                await asyncio.gather(*loading[1:count])
            finally:
                for task in loading:
                    task.cancel()
                await asyncio.gather(*loading, return_exceptions=True)
            if count > early:
                late = await self._enter(stack, count - early)
                await asyncio.gather(*(self._load(host, env) for host in late))
                hosts += late
            self._hosts = hosts[:count]
            self._shares = split([1] * count)
            self.on_loaded(loaded, count)
            self.on_log("debug", f"script host: {hosts[0].start.in_words()}")
            self._print_early(hosts[0])
            for host in self._hosts[1:]:
                host.early_logs.clear()  # the init code has printed the same on each
            aggregate = Aggregate(thresholds_of(loaded.options))
            await self._run(aggregate)
            return aggregate.summary()

    async def stop(self, reason: str, grace_seconds: float) -> None:
        """End early; iterations under way get ``grace_seconds``, and ``teardown()`` runs."""
        self._stopping = True
        self.reason = self.reason or reason
        for host in self._hosts:
            with contextlib.suppress(ScriptHostDied):
                await host.stop(grace_seconds)

    async def _enter(self, stack: contextlib.AsyncExitStack, count: int) -> list[ScriptHost]:
        hosts = [ScriptHost() for _ in range(count)]
        await asyncio.gather(*(stack.enter_async_context(host) for host in hosts))
        return hosts

    async def _load(self, host: ScriptHost, env: dict[str, str]) -> Loaded:
        return await host.load(self.files, self.entry, env=env, overrides=self.overrides)

    async def _run(self, aggregate: "Aggregate") -> None:
        self.begun = True
        first, count = self._hosts[0], len(self._hosts)
        try:
            data = await first.setup()
            if not self._stopping:
                both = zip(self._hosts, self._shares, strict=True)
                await asyncio.gather(*(host.warm(share) for host, share in both))
        finally:
            for host in self._hosts:
                self._print_early(host)
        self.aggregate = aggregate
        alive = list(self._hosts)
        if not self._stopping:
            start_at = time.time() + _START_DELAY_SECONDS
            died = await asyncio.gather(
                *(self._share(aggregate, i, start_at, data) for i in range(count))
            )
            alive = [host for host, dead in zip(self._hosts, died, strict=True) if not dead]
        if alive:
            await self._teardown(alive[0], data)
        if len(alive) == count:
            await self._summarize(alive[0], aggregate)

    async def _share(self, aggregate: "Aggregate", index: int, start_at: float, data: str) -> bool:
        """One host's share of the load; whether the host broke."""
        host = self._hosts[index]
        try:
            async for message in host.run(start_at, self._shares[index], data):
                if isinstance(message, Delta):
                    aggregate.merge(index, message.payload)
                    await self._look(aggregate)
                elif isinstance(message, Log):
                    self.on_log(message.level, message.text)
        except (ScriptFailed, ScriptHostDied) as error:
            self._fail(str(error))
            await self.stop(str(error), 0.0)
            return True
        return False

    async def _teardown(self, host: ScriptHost, data: str) -> None:
        try:
            await host.teardown(data)
        except (ScriptFailed, ScriptHostDied) as error:
            self._fail(str(error))
        self._print_early(host)

    async def _summarize(self, host: ScriptHost, aggregate: "Aggregate") -> None:
        """Let ``handleSummary()`` look at the result; that it fails changes nothing else."""
        import msgspec

        from fusillade.artifacts import read_output

        try:
            summary = msgspec.to_builtins(aggregate.summary())
            output = read_output(await host.handle_summary(summary))
        except (ScriptFailed, ScriptHostDied) as error:
            self.on_log("error", str(error))
        else:
            self.artifacts, self.stdout = output.artifacts, output.stdout
            for problem in output.problems:
                self.on_log("warn", problem)
        self._print_early(host)

    def _fail(self, reason: str) -> None:
        if not self.failed:
            self.failed = True
            self.reason = reason

    async def _look(self, aggregate: "Aggregate") -> None:
        """Show seconds that are complete; end the run for a threshold that asks for it."""
        while self._shown < aggregate.complete_second(len(self._hosts)):
            self._shown += 1
            self.on_metric(aggregate.metric_message("", self._shown))
            reason = aggregate.reason_to_abort(self._shown + 1)
            if reason is not None and not self._stopping:
                self.aborted = True
                await self.stop(reason, 0.0)
        aggregate.settle(len(self._hosts))

    def _print_early(self, host: ScriptHost) -> None:
        for line in host.early_logs:
            self.on_log(line.level, line.text)
        host.early_logs.clear()
