"""One run of a plan on one host: the load model's clock, the seconds, and the end."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fusillade.engine.engine import Engine
from fusillade.engine.exchange import Command, ScenarioCell
from fusillade.engine.meter import Meter
from fusillade.engine.model_clock import ModelClock
from fusillade.engine.share import Share
from fusillade.engine.takeover import FROM_THE_START, Takeover
from fusillade.script.plan import Plan, Scenario

# How often a ramp is looked at; between two looks the number of workers is constant.
_RAMP_STEP_SECONDS = 0.02
_NEVER = float("inf")
# What was measured in less than this after the last full second counts as part of that second.
_SHORTEST_SECOND = 0.5

OnDelta = Callable[[int, bytes], None]
"""Called with a delta's number (from 1) and its payload."""


@dataclass(slots=True)
class _Part:
    """This host's share of one scenario."""

    number: int
    scenario: Scenario
    share: Share
    done: int = 0
    """Iterations that ended before this host took over."""
    target: int = 0
    ordered: int = 0
    """Iterations ordered so far (open models)."""
    stopping: bool = False
    deadline: float = _NEVER
    over: bool = False
    told: list[float] = field(default_factory=lambda: [0.0] * 8)
    """Counters as of the last delta."""


class LoadRun:
    """Drives ``engine`` through ``plan``; create, then ``await run()``."""

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        share: Share,
        start_at: float,
        setup_data: Any,
        on_delta: OnDelta,
        meter: Meter,
        takeover: Takeover = FROM_THE_START,
    ) -> None:
        self._engine = engine
        self._takeover = takeover
        self._plan = plan
        self._on_delta = on_delta
        self._meter = meter
        self._setup_data = setup_data
        self._loop = asyncio.get_running_loop()
        self._start = engine.unix_to_loop_time(start_at, self._loop.time())
        self._clock = ModelClock(self._start)
        self._stopped = False
        self._parts = [
            _Part(
                number,
                scenario,
                share.among(scenario.executor.max_workers),
                done=takeover.iterations.get(scenario.name, 0),
            )
            for number, scenario in enumerate(plan.scenarios)
        ]
        self._next_look = self._start
        self._look_timer: asyncio.TimerHandle | None = None
        self._second = 0
        self._delta_number = 0
        self._told_requests = engine.recorder.requests
        self._told_at = self._start
        self.requests_per_second = 0.0
        """Of the last second."""
        self._done: asyncio.Future[None] = self._loop.create_future()

    @property
    def active_workers(self) -> int:
        """Workers in the middle of an iteration."""
        cells = self._engine.exchange.scenarios
        return int(cells[: len(self._parts), ScenarioCell.ACTIVE].sum())

    async def run(self) -> None:
        """Run to the end; the last delta has been handed over when this returns."""
        engine = self._engine
        if self._takeover.generation > 0:
            self._join()
        engine.realm.plan(
            {
                "setup_data": self._setup_data,
                "workers": self._plan.max_workers,
                "generation": self._takeover.generation,
                "scenarios": [self._describe(part) for part in self._parts],
            }
        )
        engine.before_turn = self._look
        self._look_timer = self._loop.call_at(self._start, self._look_now)
        second = self._loop.call_at(self._start + self._second + 1, self._end_second)
        try:
            await self._done
        finally:
            second.cancel()
            if self._second_timer is not None:
                self._second_timer.cancel()
            if self._look_timer is not None:
                self._look_timer.cancel()
            engine.before_turn = None
        self._take_delta()

    _second_timer: asyncio.TimerHandle | None = None

    def stop(self, grace_seconds: float) -> None:
        """No new iterations from now on; those under way get ``grace_seconds``."""
        now = self._loop.time()
        self._stopped = True
        for part in self._parts:
            self._stop_part(part, min(part.deadline, now + grace_seconds))
        self._next_look = now
        self._engine.schedule()

    def pause(self, at: float, paused_seconds: float) -> None:
        """No new iterations from ``at`` (Unix time) on, until ``resume`` or ``stop``.

        ``paused_seconds`` is the length of all pauses before this one. Those under way go on, the
        load model stands still, and so does its end; the metrics' seconds go on.
        """
        now = self._loop.time()
        self._clock.pause(self._engine.unix_to_loop_time(at, now), paused_seconds, now)
        self._look_now()

    def resume(self, at: float, paused_seconds: float) -> None:
        """Go on at ``at`` (Unix time) where the load model was; ``paused_seconds`` is the length
        of all pauses up to then."""
        self._clock.resume(self._engine.unix_to_loop_time(at, self._loop.time()), paused_seconds)
        self._look_now()

    def fail(self, error: Exception) -> None:
        """End at once with ``error``."""
        if not self._done.done():
            self._done.set_exception(error)

    # ---- the load model --------------------------------------------------------------------

    def _join(self) -> None:
        """Begin in the middle: what was due before now is nobody's any more."""
        now = self._loop.time()
        self._second = max(0, math.floor(now - self._start))
        self._told_at = now
        for part in self._parts:
            executor = part.scenario.executor
            elapsed = self._clock.standing(now) - self._clock.start - part.scenario.start_seconds
            if executor.is_open and elapsed > 0:
                due = executor.iterations_due(min(elapsed, executor.duration_seconds))
                part.ordered = part.share.of(due)

    def _describe(self, part: _Part) -> dict[str, Any]:
        scenario, share = part.scenario, part.share
        executor = scenario.executor
        left = self._limit(part)
        each, more = executor.iterations_per_worker, 0
        if each is not None and left is not None:
            each, more = divmod(left, max(1, share.of(executor.max_workers)))
        return {
            "name": scenario.name,
            "exec": scenario.exec,
            "open": executor.is_open,
            "iterations_per_worker": each,
            "workers_with_one_more": more,
            "shared_iterations": None if executor.shared_iterations is None else left,
            "min_iteration_ms": scenario.min_iteration_seconds * 1000,
            "first_worker_id": scenario.first_worker_id + share.first(executor.max_workers),
            "tags": dict(scenario.tags),
            "env": scenario.env,
            "sink": scenario.response_sink,
        }

    def _look(self, now: float) -> None:
        """Give the runtime its orders for this moment; called at the start of each turn."""
        if now < self._next_look or self._done.done():
            return
        paused = self._clock.is_paused(now)
        look_at = self._hold if paused else self._look_at
        self._next_look = self._clock.next_change(now)
        for part in self._parts:
            if not part.over:
                self._next_look = min(self._next_look, look_at(part, now))
        # Who has paused a test does not expect it to end.
        if all(part.over for part in self._parts) and (self._stopped or not paused):
            self._done.set_result(None)
            return
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None
        if self._next_look < _NEVER:
            self._look_timer = self._loop.call_at(self._next_look, self._look_now)

    def _look_now(self) -> None:
        # uvloop's timers may fire up to a millisecond early: then nobody would look again.
        self._next_look = 0.0
        self._engine.schedule()

    def _hold(self, part: _Part, now: float) -> float:
        """Orders for one scenario during a pause; returns when to look again."""
        if part.stopping:
            return self._look_for_end(part, now)
        if part.target > 0 and not part.scenario.executor.is_open:
            self._order(Command.TARGET, part, 0)
            part.target = 0
        return _NEVER

    def _look_at(self, part: _Part, now: float) -> float:
        """Orders for one scenario; returns when to look again (loop time)."""
        begin = self._clock.start + part.scenario.start_seconds
        if part.stopping:
            return self._look_for_end(part, now)
        if now < begin:
            return begin
        elapsed = now - begin
        executor = part.scenario.executor
        end = begin + executor.duration_seconds
        workers = executor.workers_at(min(elapsed, executor.duration_seconds))
        target = part.share.of(workers)
        if target != part.target:
            self._order(Command.TARGET, part, target)
            part.target = target
        if executor.is_open:
            due = part.share.of(executor.iterations_due(min(elapsed, executor.duration_seconds)))
            if due > part.ordered:
                self._order(Command.ITERATE, part, due - part.ordered)
                part.ordered = due
                # The end comes with the next look: these have to begin before it.
                return min(end, begin + executor.next_due(part.share.total_for(due + 1)))
        if elapsed >= executor.duration_seconds or self._exhausted(part):
            self._stop_part(part, now + part.scenario.grace_seconds)
            return self._look_for_end(part, now)
        if executor.is_open:
            due_at = begin + executor.next_due(part.share.total_for(part.ordered + 1))
            return min(end, max(due_at, now + 0.0005))
        return min(end, now + _RAMP_STEP_SECONDS)

    def _limit(self, part: _Part) -> int | None:
        """How many iterations are this host's to do; None for a scenario without a limit."""
        executor = part.scenario.executor
        if executor.shared_iterations is not None:
            whole = part.share.of(executor.shared_iterations)
        elif executor.iterations_per_worker is not None:
            whole = part.share.of(executor.max_workers) * executor.iterations_per_worker
        else:
            return None
        return max(0, whole - part.done)

    def _exhausted(self, part: _Part) -> bool:
        """Whether a scenario of limited iterations has done them all."""
        limit = self._limit(part)
        cells = self._engine.exchange.scenarios[part.number]
        return limit is not None and bool(cells[ScenarioCell.ENDED] >= limit)

    def _look_for_end(self, part: _Part, now: float) -> float:
        if self._engine.exchange.scenarios[part.number][ScenarioCell.ACTIVE] == 0:
            part.over = True
        elif now >= part.deadline:
            self._order(Command.DROP, part)
            part.over = True
        return min(part.deadline, now + _RAMP_STEP_SECONDS)

    def _stop_part(self, part: _Part, deadline: float) -> None:
        part.deadline = deadline
        if not part.stopping:
            part.stopping = True
            self._order(Command.STOP, part)

    def _order(self, kind: Command, part: _Part, amount: int = 0) -> None:
        if not self._engine.exchange.command(kind, part.number, amount):
            raise RuntimeError("more orders in one turn than the exchange holds")

    # ---- seconds ---------------------------------------------------------------------------

    def _end_second(self) -> None:
        try:
            self._take_delta()
        except Exception as error:
            self.fail(error)
            return
        self._second_timer = self._loop.call_at(self._start + self._second + 1, self._end_second)

    def _take_delta(self) -> None:
        """Hand over what was measured since the last delta as second ``self._second``."""
        engine = self._engine
        recorder = engine.recorder
        engine.flush()
        dropped = 0
        for part in self._parts:
            cells = engine.exchange.scenarios[part.number]
            tags = part.scenario.tags | {"scenario": part.scenario.name}
            for name, cell in (
                ("iterations", ScenarioCell.ENDED),
                ("dropped_iterations", ScenarioCell.DROPPED),
                ("failed_iterations", ScenarioCell.FAILED),
                ("interrupted_iterations", ScenarioCell.INTERRUPTED),
            ):
                count = float(cells[cell]) - part.told[cell]
                if count:
                    part.told[cell] = float(cells[cell])
                    recorder.add(name, count, tags)
                    if cell == ScenarioCell.DROPPED:
                        dropped += int(count)
        recorder.set_active_workers(
            {
                part.scenario.name: int(cells[ScenarioCell.ACTIVE])
                for part, cells in zip(self._parts, engine.exchange.scenarios, strict=False)
            }
        )
        now = self._loop.time()
        elapsed = max(0.0, now - self._start)
        if now - self._told_at >= _SHORTEST_SECOND:
            count = recorder.requests - self._told_requests
            self.requests_per_second = count / (now - self._told_at)
            self._told_requests, self._told_at = recorder.requests, now
        second = self._second
        if second > 0 and elapsed - second < _SHORTEST_SECOND:
            second -= 1
        recorder.set_pressure(self._meter.take(now, dropped))
        self._delta_number += 1
        payload = recorder.take_delta(self._delta_number, second, elapsed - second)
        self._second += 1
        self._on_delta(self._delta_number, payload)
