"""One MetricsAggregator under the deltas of many WorkerActors: its CPU, and how late it tells.

The aggregator is the real Ray actor on a Ray of this program's own. The WorkerActors are simulated,
so many on each machine with a real relay, or without (``--machine 1``): each makes real deltas
(three regions, as many scenarios; 50 endpoints, latencies of a lognormal distribution, checks,
iterations), encoded as a script host encodes them, and pushes one a second, all within the same
50 ms as real ones do. Late is from the push to the message with that second at a subscriber of the
actor's stream, which is what the API copies to a WebSocket.

    python benchmarks/aggregation.py [--sources 1000] [--machine 16] [--seconds 20]
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import psutil

from own_ray import own_ray  # isort: skip  (Ray reads its environment when it is imported)
import ray

from actors import metrics_aggregator, names
from actors.relay import Relay
from fusillade.metrics import journal
from fusillade.metrics.delta import decode, encode
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS

REGIONS = ("eu-hel1", "us-east-1", "ap-sin1")
ENDPOINTS = 50
_VARIANTS = 24
"""Different deltas; each simulated WorkerActor sends one of them as its own."""
_SPREAD_SECONDS = 0.05
"""A real WorkerActor looks so often whether there is something to send."""
_WARM_UP_SECONDS = 3
_FLEETS = 2
"""Processes that simulate."""
_COLUMN = {name: index for index, name in enumerate(REQUEST_COLUMNS)}


def delta_of(seed: int, requests: int) -> bytes:
    """One second of ``requests`` requests."""
    chance = np.random.default_rng(seed)
    scenario = {"scenario": REGIONS[seed % len(REGIONS)]}
    recorder = Recorder()
    for number in range(ENDPOINTS):
        tags = {"name": f"GET https://shop.example.com/api/v2/things-{number}/:id", "method": "GET"}
        recorder.define_series(number, tags | {"group": ""} | scenario)
    rows = np.zeros((requests, len(REQUEST_COLUMNS)))
    rows[:, _COLUMN["series"]] = chance.integers(0, ENDPOINTS, requests)
    rows[:, _COLUMN["status"]] = chance.choice([200, 404, 500], requests, p=[0.98, 0.01, 0.01])
    durations = chance.lognormal(np.log(20 + rows[:, 0]), 0.5)
    rows[:, _COLUMN["duration"]] = durations
    rows[:, _COLUMN["waiting"]] = durations * 0.9
    rows[:, _COLUMN["receiving"]] = durations * 0.1
    rows[:, _COLUMN["bytes_sent"]] = 200
    rows[:, _COLUMN["bytes_received"]] = 2000
    rows[:, _COLUMN["reused"]] = 1
    recorder.record_requests(rows)
    recorder.add("iterations", requests, scenario)
    for name in ("iteration", "iteration_total"):
        recorder.record_values(name, "histogram", durations, scenario)
    recorder.add_check("status is 200", requests, 0, scenario | {"group": ""})
    recorder.set_active_workers({scenario["scenario"]: 100})
    return recorder.take_delta(1, 0, 1.0)


@ray.remote(num_cpus=0)
class Fleet:
    """Simulated WorkerActors; ``machines`` are the sources on each."""

    def __init__(
        self, test_id: str, aggregator: Any, machines: list[list[int]], requests: int, seconds: int
    ) -> None:
        self._machines = [
            (Relay(test_id).push if len(sources) > 1 else aggregator.push.remote, sources)
            for sources in machines
        ]
        first = [decode(delta_of(seed, requests)) for seed in range(_VARIANTS)]
        self._payloads = [
            [
                encode(msgspec.structs.replace(one, number=second + 1, second=second))
                for second in range(seconds)
            ]
            for one in first
        ]
        self._sent: dict[int, list[float]] = {second: [] for second in range(seconds)}

    async def run(self, start_at: float) -> dict[int, list[float]]:
        """Push each second's deltas; when, by second."""
        await asyncio.gather(
            *(
                self._source(source, push, start_at)
                for push, sources in self._machines
                for source in sources
            )
        )
        return self._sent

    async def _source(self, source: int, push: Any, start_at: float) -> None:
        for second, payload in enumerate(self._payloads[source % _VARIANTS]):
            due = start_at + second + 1 + random.random() * _SPREAD_SECONDS
            await asyncio.sleep(due - time.time())
            self._sent[second].append(time.time())
            await push(source, 0, [payload])


@dataclass
class Found:
    """What was measured."""

    cpu_share: float
    lateness: np.ndarray
    memory: int
    delta_bytes: float


async def measure(sources: int, machine: int, seconds: int, requests: int) -> Found:
    """Run simulated WorkerActors against one aggregator."""
    test_id = str(uuid4())
    regions = [REGIONS[source % len(REGIONS)] for source in range(sources)]
    directory = Path(tempfile.mkdtemp(prefix="fusi-journal-"))
    aggregator = metrics_aggregator.remote.options(
        **names.options(names.metrics(test_id), **metrics_aggregator.OPTIONS)
    ).remote(test_id, regions, [], directory)
    pid = await aggregator.__ray_call__.remote(lambda self: os.getpid())
    process = psutil.Process(pid)
    machines = [
        list(range(first, min(first + machine, sources))) for first in range(0, sources, machine)
    ]
    crowd = [
        Fleet.remote(test_id, aggregator, machines[part::_FLEETS], requests, seconds)  # type: ignore[attr-defined]
        for part in range(_FLEETS)
    ]
    told: dict[int, float] = {}

    async def listen() -> None:
        async for reference in aggregator.follow.options(num_returns="streaming").remote():
            message = await reference
            told[round(message["elapsed_seconds"]) - 1] = time.time()

    listening = asyncio.create_task(listen())
    await asyncio.gather(*(one.__ray_ready__.remote() for one in crowd))
    start_at = time.time() + 0.5
    running = asyncio.gather(*(one.run.remote(start_at) for one in crowd))
    await asyncio.sleep(start_at + 1 + _WARM_UP_SECONDS - time.time())
    before, began = sum(process.cpu_times()[:2]), time.time()
    await asyncio.sleep(start_at + seconds - time.time())
    used, took = sum(process.cpu_times()[:2]) - before, time.time() - began
    sent = await running
    memory = process.memory_info().rss
    await aggregator.finish.remote()
    await listening
    result = await aggregator.result.remote()
    expected = sources * seconds * requests
    if result.summary["total_requests"] != expected:
        raise SystemExit(f"{result.summary['total_requests']:,} requests, not {expected:,}")
    ray.kill(aggregator, no_restart=True)
    journal.remove(directory)
    late = [
        told[second] - at
        for part in sent
        for second, moments in part.items()
        if second >= _WARM_UP_SECONDS
        for at in moments
    ]
    size = np.mean([len(delta_of(seed, requests)) for seed in range(_VARIANTS)])
    return Found(used / took, np.array(late), memory, float(size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--machine", type=int, default=16, help="WorkerActors on each machine")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=1000, help="of each source, a second")
    arguments = parser.parse_args()
    with own_ray(cpus=2):
        found = asyncio.run(
            measure(arguments.sources, arguments.machine, arguments.seconds, arguments.requests)
        )
    p50, p99 = np.percentile(found.lateness, [50, 99])
    print("| deltas/s | requests/s | bytes each | CPU | p50 late | p99 late | memory |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    print(
        f"| {arguments.sources:,} | {arguments.sources * arguments.requests:,} "
        f"| {found.delta_bytes:,.0f} | {found.cpu_share:.2f} of a core "
        f"| {p50:.2f} s | {p99:.2f} s | {found.memory / 1e6:,.0f} MB |"
    )


if __name__ == "__main__":
    main()
