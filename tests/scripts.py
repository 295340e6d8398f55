"""Runs scripts on a real script host, as a WorkerActor does."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta, Loaded, Log, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.summary import Summary
from fusillade.script.options import thresholds_of


@dataclass
class Run:
    """What became of a script."""

    loaded: Loaded
    summary: Summary
    setup_data: Any
    aggregate: Aggregate
    log: list[str] = field(default_factory=list)
    output: Any = None
    """What ``handleSummary`` returned."""


async def evaluate(body: str, *, head: str = "", files: dict[str, str] | None = None) -> Any:
    """What ``setup() { body }`` returns."""
    source = f"{head}\nexport function setup() {{ {body} }}\nexport default function () {{}}\n"
    async with ScriptHost() as host:
        await host.load(as_files(source, files), "script.js")
        return json.loads(await host.setup())


_WHOLE = Share()


async def run(
    source: str,
    *,
    files: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    entry: str = "script.js",
    memory_limit_bytes: int = 1 << 30,
    share: Share = _WHOLE,
    **overrides: Any,
) -> Run:
    """Run a script, or a share of it, to its end on one host."""
    async with ScriptHost(memory_limit_bytes=memory_limit_bytes) as host:
        loaded = await host.load(
            as_files(source, files, entry), entry, env=env, overrides=Overrides(**overrides)
        )
        aggregate = Aggregate(thresholds_of(loaded.options))
        data = await host.setup()
        await host.warm(share)
        log = []
        async for message in host.run(time.time() + 0.05, share, data):
            if isinstance(message, Delta):
                aggregate.merge(0, message.payload)
            elif isinstance(message, Log):
                log.append(f"{message.level}: {message.text}")
        await host.teardown(data)
        summary = aggregate.summary()
        output = json.loads(await host.handle_summary(msgspec.to_builtins(summary)))
        log = [f"{line.level}: {line.text}" for line in host.early_logs] + log
    return Run(loaded, summary, json.loads(data), aggregate, log, output)


def as_files(
    source: str, files: dict[str, str] | None = None, entry: str = "script.js"
) -> dict[str, bytes]:
    """The files of a test; bytes that are no text are written as ``surrogateescape`` has them."""
    return {entry: source.encode()} | {
        path: content.encode("utf-8", "surrogateescape") for path, content in (files or {}).items()
    }
