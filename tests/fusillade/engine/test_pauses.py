"""A paused load begins nothing, and goes on where it was."""

import asyncio
import time
from dataclasses import dataclass

import pytest
from scripts import as_files

from fusillade.engine.model_clock import ModelClock
from fusillade.engine.share import Share, split
from fusillade.hosting.messages import Delta, Log, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.summary import Summary

PAUSED, RESUMED = 0.6, 1.6
"""Seconds after the start of the load."""
BEGUN = "console.log(Date.now(), __VU);"


@dataclass
class PausedRun:
    """What became of a load with one pause."""

    summary: Summary
    begun: list[tuple[float, int]]
    """Iterations, by BEGUN: seconds after the start, and the worker."""

    def between(self, first: float, last: float) -> list[int]:
        """Workers that began an iteration then."""
        return [worker for at, worker in self.begun if first <= at < last]


async def paused_run(script: str, **overrides: float) -> PausedRun:
    """Run a script with a pause from PAUSED to RESUMED."""
    aggregate = Aggregate()
    lines = []
    async with ScriptHost() as host:
        await host.load(as_files(script), "script.js", overrides=Overrides(**overrides))  # type: ignore[arg-type]
        start = time.time() + 0.1

        async def pause() -> None:
            await host.pause(start + PAUSED, 0.0)
            await asyncio.sleep(start + (PAUSED + RESUMED) / 2 - time.time())
            await host.resume(start + RESUMED, RESUMED - PAUSED)

        pausing = asyncio.create_task(pause())
        async for message in host.run(start, Share(), "null"):
            if isinstance(message, Delta):
                aggregate.merge(0, message.payload)
            elif isinstance(message, Log):
                lines.append(message.text.split())
        await pausing
    begun = [(int(at) / 1000 - start, int(worker)) for at, worker in lines]
    return PausedRun(aggregate.summary(), begun)


async def test_paused_workers_begin_nothing_and_their_duration_is_as_long_as_ever() -> None:
    script = f"export default function () {{ {BEGUN} sleep(0.05); }}"
    done = await paused_run(script, workers=3, duration_seconds=2)
    assert done.between(PAUSED + 0.1, RESUMED - 0.01) == []
    assert set(done.between(RESUMED - 0.01, RESUMED + 0.2)) == {1, 2, 3}
    assert done.between(2.3, 2.9) != []
    assert done.summary.duration_seconds >= 2 + RESUMED - PAUSED
    assert done.summary.interrupted_iterations == 0


async def test_an_arrival_rate_goes_on_without_a_burst_and_its_sum_is_exact() -> None:
    script = f"""export const options = {{ executor: 'constant-arrival-rate', rate: 40,
        maxVUs: 20 }};
      export default function () {{ {BEGUN} sleep(0.01); }}"""
    done = await paused_run(script, duration_seconds=2)
    assert (done.summary.iterations, done.summary.dropped_iterations) == (80, 0)
    assert done.between(PAUSED + 0.1, RESUMED - 0.01) == []
    assert 0 < len(done.between(RESUMED - 0.01, RESUMED + 0.25)) < 25


async def test_a_ramp_goes_on_where_it_was() -> None:
    script = f"""export const options = {{ stages: [{{ duration: '2s', target: 20 }}] }};
      export default function () {{ {BEGUN} sleep(0.2); }}"""
    done = await paused_run(script, workers=20, duration_seconds=2)
    assert done.between(PAUSED + 0.1, RESUMED - 0.01) == []
    assert 3 <= max(done.between(RESUMED - 0.01, RESUMED + 0.15)) <= 12
    assert max(done.between(2.5, 3.1)) >= 14


async def test_shared_iterations_are_exact_with_a_pause_among_them() -> None:
    script = f"""export const options = {{ executor: 'shared-iterations', vus: 5, iterations: 100,
        maxDuration: '1m' }};
      export default function () {{ {BEGUN} sleep(0.05); }}"""
    done = await paused_run(script)
    assert done.summary.iterations == 100
    assert done.between(PAUSED + 0.1, RESUMED - 0.01) == []
    assert len(done.between(RESUMED - 0.01, 100)) > 20


async def test_hosts_that_hear_of_a_pause_at_different_times_share_the_load_exactly() -> None:
    script = """export const options = { executor: 'constant-arrival-rate', rate: 50, maxVUs: 20 };
      export default function () { sleep(0.01); }"""
    loaded = asyncio.Barrier(2)
    start = 0.0

    async def share(index: int) -> int:
        async with ScriptHost() as host:
            await host.load(as_files(script), "script.js", overrides=Overrides(duration_seconds=1))
            nonlocal start
            start = time.time() + 0.1
            await loaded.wait()
            begin = start

            async def pause() -> None:
                await asyncio.sleep(begin + 0.3 + 0.2 * index - time.time())
                await host.pause(begin + 0.3, 0.0)
                await asyncio.sleep(begin + 0.7 + 0.2 * index - time.time())
                await host.resume(begin + 0.8, 0.5)

            pausing = asyncio.create_task(pause())
            ended = await _to_the_end(host.run(begin, split([1, 1])[index], "null"))
            await pausing
            return ended.summary().iterations

    first, second = await asyncio.gather(share(0), share(1))
    assert (first, second) == (25, 25)


@pytest.mark.parametrize("how", ["resume", "stop"])
async def test_a_paused_load_ends_after_resume_or_stop_alone(how: str) -> None:
    script = "export default function () { sleep(0.2); }"
    async with ScriptHost() as host:
        await host.load(as_files(script), "script.js", overrides=Overrides(iterations=1))
        start = time.time() + 1  # by which the host is sure to have heard of both
        # It may be heard of before the load.
        await host.pause(start + 0.1, 0.0)
        load = host.run(start, Share(), "null")
        ended = asyncio.create_task(_to_the_end(load))
        await asyncio.sleep(1.8)
        assert not ended.done()
        if how == "resume":
            await host.resume(start + 0.8, 0.7)
        else:
            await host.stop(0.0)
        assert (await ended).summary().iterations == 1


async def _to_the_end(load: object) -> Aggregate:
    aggregate = Aggregate()
    async for message in load:  # type: ignore[attr-defined]
        if isinstance(message, Delta):
            aggregate.merge(0, message.payload)
    return aggregate


def test_the_clock_is_right_however_late_and_often_it_is_told() -> None:
    pauses = [("pause", 3.0, 0.0), ("resume", 4.0, 1.0), ("pause", 6.0, 1.0), ("resume", 8.0, 3.0)]
    told = [
        [(at, *step) for step in pauses for at in [step[1]]],  # at once
        [(step[1] + 0.4, *step) for step in pauses],  # late
        [(step[1] + late, *step) for step in pauses for late in (0.0, 0.3)],  # twice
        [(8.0, *pauses[3])],  # only the last
        [(3.1, *pauses[0]), (8.2, *pauses[3])],  # the first and the last
    ]
    for steps in told:
        clock = ModelClock(1.0)
        for now, kind, at, seconds in steps:
            if kind == "pause":
                clock.pause(at, seconds, now)
                assert clock.is_paused(now)
            else:
                clock.resume(at, seconds)
                assert not clock.is_paused(now)
        assert clock.start == 4.0
        assert not clock.is_paused(9.0)
        assert clock.next_change(9.0) == float("inf")


def test_who_pauses_again_before_the_clock_has_gone_on_has_it_stand_still() -> None:
    clock = ModelClock(0.0)
    clock.pause(1.0, 0.0, 1.0)
    clock.resume(2.2, 1.2)
    assert clock.is_paused(2.1)
    assert clock.next_change(2.1) == 2.2
    clock.pause(2.2, 1.2, 2.1)
    assert clock.is_paused(2.15)
    assert clock.is_paused(5.0)
