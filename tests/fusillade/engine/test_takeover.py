"""Shares of a load that another host takes over in the middle of the run."""

import asyncio
import time

import pytest
from scripts import as_files

from fusillade.engine.share import Share, split
from fusillade.engine.takeover import Takeover
from fusillade.hosting.messages import Delta, Log, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics import delta as wire
from fusillade.metrics.aggregate import Aggregate

WHOLE = Share()


class TakenOver:
    """What a host did that joined a run."""

    def __init__(self) -> None:
        self.aggregate = Aggregate()
        self.seconds: list[int] = []
        self.lines: list[str] = []

    @property
    def iterations(self) -> int:
        return self.aggregate.summary().iterations


async def take_over(
    script: str,
    takeover: Takeover,
    *,
    after: float = 0.0,
    share: Share = WHOLE,
    paused: tuple[float, float] | None = None,
    **overrides: float,
) -> TakenOver:
    """Take a share over ``after`` seconds of the run; ``paused``: since when, and for how long it
    had been paused before."""
    done = TakenOver()
    async with ScriptHost() as host:
        await host.load(as_files(script), "script.js", overrides=Overrides(**overrides))  # type: ignore[arg-type]
        start = time.time() - after
        if paused is not None:
            await host.pause(start + paused[0], paused[1])

            async def resume() -> None:
                await asyncio.sleep(0.5)
                now = time.time()
                await host.resume(now, paused[1] + now - start - paused[0])

            resuming = asyncio.create_task(resume())
        async for message in host.run(start, share, "null", takeover):
            if isinstance(message, Delta):
                done.aggregate.merge(0, message.payload)
                done.seconds.append(wire.decode(message.payload).second)
            elif isinstance(message, Log):
                done.lines.append(message.text)
        if paused is not None:
            await resuming
    return done


RATE = """export const options = { executor: 'constant-arrival-rate', rate: 40, maxVUs: 20 };
  export default function () { sleep(0.01); }"""


async def test_an_arrival_rate_goes_on_without_what_was_missed() -> None:
    done = await take_over(RATE, Takeover(1), after=2.0, duration_seconds=3)
    assert 30 <= done.iterations <= 40
    assert done.seconds[0] == 2


async def test_an_arrival_rate_that_is_taken_over_in_a_pause_goes_on_where_it_stood() -> None:
    done = await take_over(RATE, Takeover(1), after=9.0, paused=(1.5, 0.5), duration_seconds=2)
    assert done.iterations == 40


async def test_a_scenario_that_is_still_to_come_is_done_as_a_whole() -> None:
    script = """export const options = { scenarios: { later: { executor: 'constant-arrival-rate',
        rate: 20, duration: '1s', maxVUs: 5, startTime: '3s' } } };
      export default function () {}"""
    done = await take_over(script, Takeover(1), after=2.5)
    assert done.iterations == 20


async def test_workers_begin_at_once_with_the_number_that_is_due_now() -> None:
    script = """export const options = { stages: [{ duration: '4s', target: 8 }] };
      export default function () { console.log(__WORKER_ID); sleep(0.2); }"""
    done = await take_over(script, Takeover(1), after=2.0, workers=8, duration_seconds=4)
    assert sorted(done.lines[:4]) == ["1", "2", "3", "4"]
    assert set(done.lines) == {str(number) for number in range(1, 9)}


@pytest.mark.parametrize(
    ("options", "whole"),
    [
        ("executor: 'shared-iterations', vus: 4, iterations: 12", 12),
        ("executor: 'per-worker-iterations', vus: 4, iterations: 3", 12),
    ],
)
async def test_iterations_that_are_known_to_be_done_are_not_done_again(
    options: str, whole: int
) -> None:
    script = f"export const options = {{ {options}, maxDuration: '1m' }}; export default () => {{}}"
    for finished in (7, whole + 3):
        done = await take_over(script, Takeover(1, {"default": finished}))
        assert done.iterations == max(0, whole - finished)


async def test_ids_stay_unique_and_workers_keep_theirs() -> None:
    script = """export const options = { executor: 'per-worker-iterations', vus: 6, iterations: 3 };
      export default function () { console.log(`${__WORKER_ID} ${utils.sequentialId()}`); }"""
    ids, workers = [], []
    for generation in (0, 1, 40):
        for share in split([1, 2]):
            done = await take_over(script, Takeover(generation), share=share)
            ids += [int(line.split()[1]) for line in done.lines]
            workers.append(sorted({int(line.split()[0]) for line in done.lines}))
    assert len(ids) == len(set(ids)) == 3 * 18
    assert max(ids) < 2**53
    assert workers[:2] * 3 == workers


async def test_who_comes_after_the_end_has_nothing_to_do() -> None:
    done = await take_over(RATE, Takeover(3), after=10.0, duration_seconds=3)
    assert done.iterations == 0
