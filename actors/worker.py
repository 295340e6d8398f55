"""The WorkerActor: runs one share of a test's load in a script host of its own."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import ray

from actors import log, names
from actors.config import HostConfig
from actors.relay import Relay
from actors.spool import Spool, Superseded
from actors.worker_states import WorkerState
from fusillade.artifacts import Output, read_output
from fusillade.engine.share import Share
from fusillade.engine.takeover import Takeover
from fusillade.errors import InvalidScript
from fusillade.hosting.messages import Delta, Log, Overrides
from fusillade.hosting.script_host import ScriptFailed, ScriptHost, ScriptHostDied

_log = logging.getLogger(__name__)
_MOST_LOG_LINES = 200
_LOAD_SECONDS = 60.0
"""More than at the upload: many WorkerActors may start on one machine at the same time."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended. An exception of ours would reach the caller wrapped in Ray's."""

    reason: str | None = None
    """Why it failed, in words for the author of the script; None if it did not."""
    value: str = ""
    """What ``setup()`` returned, as JSON."""
    deltas: int = 0
    """How many seconds of metrics there are of the load."""
    node: str | None = None
    """Ray's id of the machine on which the script was loaded."""
    log: list[str] = field(default_factory=list)
    """The first lines that the script printed."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """What ``handleSummary()`` returned, by name."""


class WorkerActor:
    """One script host, and the steps of a run on it.

    Each step runs once: a TestRunActor that was restarted asks again and gets the same outcome.
    """

    def __init__(
        self,
        test_id: str,
        index: int,
        generation: int,
        config: HostConfig,
        name: str,
        region: str,
    ) -> None:
        """``name``: of the test."""
        me = names.worker(test_id, index, generation)
        log.begin(config.watching, me, test=test_id, region=region)
        self._called = f"WorkerActor({name}, {region} {index}:{generation}, {test_id})"
        self._index = index
        self._config = config
        self._spool = Spool(test_id, index, generation)
        self._relay = Relay(test_id)
        self._host: ScriptHost | None = None
        self._steps: dict[str, asyncio.Task[Outcome]] = {}
        self._log: list[str] = []
        self._paused = False
        self._told = 0
        """How many of its lines the outcome of the load has."""

    def __repr__(self) -> str:
        return self._called

    async def load(
        self, files: dict[str, bytes], entry: str, env: dict[str, str], overrides: Overrides
    ) -> Outcome:
        """Start the host and hand it the script."""

        async def load() -> Outcome:
            host = ScriptHost(
                memory_limit_bytes=self._config.memory_bytes,
                watchdog_seconds=self._config.watchdog_seconds,
            )
            self._host = await host.__aenter__()
            await host.load(
                files,
                entry,
                env=env,
                overrides=overrides,
                blocked=self._config.blocked,
                timeout_seconds=_LOAD_SECONDS,
            )
            _log.info("script host %d: %s", host.pid, host.start.in_words())
            return Outcome(node=_node())

        return await self._step("load", load)

    async def setup(self) -> Outcome:
        """Run ``setup()``."""

        async def setup() -> Outcome:
            return Outcome(value=await self._loaded.setup())

        return await self._step("setup", setup)

    async def warm(self, share: Share) -> Outcome:
        """Open the connections that this share will need."""

        async def warm() -> Outcome:
            await self._loaded.warm(share)
            return Outcome()

        return await self._step("warm", warm)

    async def run(
        self, start_at: float, share: Share, setup_data: str, takeover: Takeover
    ) -> Outcome:
        """Run this share, or the rest of it, from ``start_at`` (Unix time) to its end.

        It never returns when another has taken the share over: then this actor ends.
        """

        async def run() -> Outcome:
            _log.info("share %d begins", self._index)
            sender = asyncio.create_task(self._send_each_second())
            try:
                load = self._loaded.run(start_at, share, setup_data, takeover)
                async for message in load:
                    if isinstance(message, Delta):
                        self._spool.add(message.payload)
                    elif isinstance(message, Log):
                        self._note(message)
            finally:
                sender.cancel()
            return Outcome()

        outcome = await self._step("run", run)
        # Also what was measured before a failure.
        await self._deliver()
        ended = "to its end" if outcome.reason is None else f"until it failed: {outcome.reason}"
        _log.info("share %d ran %s", self._index, ended)
        self._told = len(self._log)
        return Outcome(reason=outcome.reason, deltas=len(self._spool), log=self._log)

    async def go_through(self, relay: Any) -> None:
        """Send metrics by way of this WorkerActor, which is on the same machine."""
        self._spool.go_through(relay)

    async def relay(self, *push: Any) -> Any:
        """Pass on a push of another WorkerActor of the test; None if it is to be tried again."""
        return await self._relay.push(*push)

    async def deliver(self) -> int:
        """Make sure that the aggregator has all deltas; returns their number."""
        await self._deliver()
        return len(self._spool)

    async def stop(self, grace_seconds: float) -> None:
        """End the load early; iterations under way get ``grace_seconds``."""
        if self._host is None or "run" not in self._steps:
            return
        try:
            await self._host.stop(grace_seconds)
        except ScriptHostDied:
            return  # `run` tells why

    async def log_lines(self) -> list[str]:
        """What the script has printed so far."""
        self._note_early_logs()
        return self._log

    async def state(self) -> WorkerState:
        """How it is, for people who look."""
        found = WorkerState(self._index, self._phase(), node=_node())
        host = self._host
        if host is None:
            return found
        return replace(
            found,
            active_workers=host.beat.active_workers,
            requests_per_second=host.beat.requests_per_second,
            cpu_share=host.beat.cpu_share,
            loop_lag_seconds=host.beat.loop_lag_seconds,
            overloaded=host.beat.overloaded,
            heartbeat_at=host.beat_at,
        )

    def _phase(self) -> str:
        loading, running = self._steps.get("load"), self._steps.get("run")
        if loading is None or not loading.done():
            return "starting"
        if running is None:
            return "ready"
        if running.done():
            return "ended"
        return "paused" if self._paused else "running"

    async def pause(self, at: float, paused_seconds: float) -> None:
        """Begin no iterations from ``at`` (Unix time) on, until ``resume`` or ``stop``."""
        self._paused = True
        if self._host is not None:
            with contextlib.suppress(ScriptHostDied):  # `run` tells why
                await self._host.pause(at, paused_seconds)

    async def resume(self, at: float, paused_seconds: float) -> None:
        """Go on at ``at``, by when all pauses together were ``paused_seconds`` long."""
        self._paused = False
        if self._host is not None:
            with contextlib.suppress(ScriptHostDied):
                await self._host.resume(at, paused_seconds)

    async def teardown(self, setup_data: str) -> Outcome:
        """Run ``teardown(data)``."""

        async def teardown() -> Outcome:
            await self._loaded.teardown(setup_data)
            return Outcome()

        return await self._step("teardown", teardown)

    async def handle_summary(self, summary: dict[str, Any]) -> Outcome:
        """Run ``handleSummary(data)``. Never fails: what goes wrong is in the log, which has all
        lines since the end of the load."""

        async def handle() -> Outcome:
            output = Output()
            try:
                output = read_output(await self._loaded.handle_summary(summary))
                lines = output.log_lines()
            except (ScriptFailed, ScriptHostDied) as error:
                lines = [f"error: {error}"]
            self._note_early_logs()
            return Outcome(log=self._log[self._told :] + lines, artifacts=output.artifacts)

        return await self._step("summary", handle)

    async def close(self) -> None:
        """End the host."""
        if self._host is not None:
            await self._host.__aexit__(None, None, None)

    @property
    def _loaded(self) -> ScriptHost:
        assert self._host is not None, "load() comes first"
        return self._host

    async def _step(self, name: str, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        task = self._steps.get(name)
        if task is None:
            task = self._steps[name] = asyncio.create_task(_outcome(work))
        outcome = await asyncio.shield(task)
        self._note_early_logs()
        return outcome

    async def _send_each_second(self) -> None:
        sent = 0
        while True:
            if len(self._spool) > sent:
                sent = len(self._spool)
                await self._deliver()
            await asyncio.sleep(0.05)

    async def _deliver(self) -> None:
        try:
            await self._spool.deliver()
        except Superseded as reason:
            _log.warning("share %d is given up: %s", self._index, reason)
            await self.close()
            os._exit(1)  # at once, whatever else this process is asked for

    def _note_early_logs(self) -> None:
        if self._host is not None:
            for line in self._host.early_logs:
                self._note(line)
            self._host.early_logs.clear()

    def _note(self, line: Log) -> None:
        if len(self._log) < _MOST_LOG_LINES:
            self._log.append(f"{line.level}: {line.text}")


def _node() -> str:
    return str(ray.get_runtime_context().get_node_id())


async def _outcome(work: Callable[[], Awaitable[Outcome]]) -> Outcome:
    try:
        return await work()
    except InvalidScript as error:
        return Outcome(reason=error.message)
    except (ScriptFailed, ScriptHostDied) as error:
        return Outcome(reason=str(error))


remote: Any = ray.remote(WorkerActor)
OPTIONS = {"num_cpus": 1, "max_restarts": 0, "max_concurrency": 100}
"""One CPU each: a script host uses one core at most. What it holds cannot be had again, so it is
not restarted."""
