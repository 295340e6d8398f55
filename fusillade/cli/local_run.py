"""A test on this machine alone: as many script hosts as there are cores, and no platform.

``fusillade run`` is made of it; it needs neither Ray nor a database.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusillade.errors import ScriptTooLarge, ValidationFailed
from fusillade.hosting.messages import Delta, Loaded, Log, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.summary import Summary
from fusillade.script.options import thresholds_of

_SUFFIXES = (".js", ".mjs", ".ts", ".mts", ".json", ".csv", ".txt")
_MOST_FILES = 2000
_MOST_BYTES = 64 << 20
_START_DELAY_SECONDS = 0.05


@dataclass
class LocalRun:
    """One run; ``await run()`` once."""

    files: dict[str, bytes]
    entry: str
    overrides: Overrides
    env: dict[str, str]
    on_loaded: Callable[[Loaded, int], None]
    """Called before the start, with the number of hosts."""
    on_metric: Callable[[dict[str, Any]], None]
    """Called once a second with a ``metric`` message."""
    on_log: Callable[[str, str], None]
    """Called with level and text of each line that the script prints."""
    reason: str | None = None
    """Why the run failed or ended early."""
    _hosts: list[ScriptHost] = field(default_factory=list)
    _shown: int = -1
    _stopping: bool = False
    failed: bool = False

    async def run(self) -> Summary:
        """Run to the end. Raises ``InvalidScript``, ``ScriptFailed``, ``ScriptHostDied``."""
        async with contextlib.AsyncExitStack() as stack:
            first = await stack.enter_async_context(ScriptHost())
            loaded = await self._load(first)
            count = max(1, min(os.cpu_count() or 1, loaded.workers))
            self._hosts = [first]
            others = [ScriptHost() for _ in range(count - 1)]
            await asyncio.gather(*(stack.enter_async_context(host) for host in others))
            await asyncio.gather(*(self._load(host) for host in others))
            self._hosts += others
            self.on_loaded(loaded, count)
            self.on_log("debug", f"script host: {first.start.in_words()}")
            data = await first.setup()
            await asyncio.gather(*(host.warm(i, count) for i, host in enumerate(self._hosts)))
            for host in self._hosts:
                self._print_early(host)
            aggregate = Aggregate(thresholds_of(loaded.options))
            start_at = time.time() + _START_DELAY_SECONDS
            shares = [self._share(aggregate, i, start_at, data) for i in range(count)]
            outcomes = await asyncio.gather(*shares, return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, ScriptFailed | ScriptHostDied):
                    self._fail(str(outcome))
                elif isinstance(outcome, BaseException):
                    raise outcome
            if not self.failed:
                await first.teardown(data)
                self._print_early(first)
            return aggregate.summary()

    async def stop(self, reason: str, grace_seconds: float) -> None:
        """End early; iterations under way get ``grace_seconds``."""
        self._stopping = True
        self.reason = self.reason or reason
        for host in self._hosts:
            with contextlib.suppress(ScriptHostDied):
                await host.stop(grace_seconds)

    def _fail(self, reason: str) -> None:
        self.failed = True
        self.reason = reason

    async def _load(self, host: ScriptHost) -> Loaded:
        return await host.load(self.files, self.entry, env=self.env, overrides=self.overrides)

    async def _share(self, aggregate: Aggregate, index: int, start_at: float, data: str) -> None:
        host = self._hosts[index]
        async for message in host.run(start_at, index, len(self._hosts), data):
            if isinstance(message, Delta):
                aggregate.merge(index, message.payload)
                await self._look(aggregate)
            elif isinstance(message, Log):
                self.on_log(message.level, message.text)

    async def _look(self, aggregate: Aggregate) -> None:
        """Show seconds that are complete; end the run for a threshold that asks for it."""
        while self._shown < aggregate.complete_second(len(self._hosts)):
            self._shown += 1
            self.on_metric(aggregate.metric_message("", self._shown))
            reason = aggregate.reason_to_abort(self._shown + 1)
            if reason is not None and not self._stopping:
                await self.stop(reason, 0.0)

    def _print_early(self, host: ScriptHost) -> None:
        for line in host.early_logs:
            self.on_log(line.level, line.text)
        host.early_logs.clear()


def read_files(script: Path) -> tuple[dict[str, bytes], str]:
    """The script and what lies beside and below it that it may import or open; and its name.

    Raises :class:`ValidationFailed`, :class:`ScriptTooLarge`.
    """
    if not script.is_file():
        raise ValidationFailed(f"There is no file {script}.")
    root = script.resolve().parent
    files = {script.name: script.read_bytes()}
    total = 0
    for directory, names, entries in os.walk(root):
        names[:] = [n for n in names if not n.startswith(".") and n != "node_modules"]
        for entry in entries:
            path = Path(directory, entry)
            if path.suffix not in _SUFFIXES or not path.is_file():
                continue
            total += path.stat().st_size
            if len(files) >= _MOST_FILES or total > _MOST_BYTES:
                raise ScriptTooLarge(
                    f"{root} has more than {_MOST_FILES:,} files or {_MOST_BYTES >> 20} MiB of "
                    "scripts and data: put the test into a directory of its own."
                )
            files[str(path.relative_to(root))] = path.read_bytes()
    return files, script.name
