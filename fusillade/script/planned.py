"""A plan for people: what each scenario will do, in words."""

from fusillade.durations import show_duration
from fusillade.engine.executors.constant_arrival_rate import ConstantArrivalRate
from fusillade.engine.executors.constant_workers import ConstantWorkers
from fusillade.engine.executors.per_worker_iterations import PerWorkerIterations
from fusillade.engine.executors.ramping_arrival_rate import RampingArrivalRate
from fusillade.engine.executors.ramping_workers import RampingWorkers
from fusillade.engine.executors.shared_iterations import SharedIterations
from fusillade.engine.executors.stage import Stage
from fusillade.hosting.messages import PlannedScenario
from fusillade.script.plan import Scenario


def planned(scenario: Scenario) -> PlannedScenario:
    """What ``scenario`` will do."""
    executor = scenario.executor
    workers, duration = executor.max_workers, executor.duration_seconds
    name, load, iterations = "", "", None
    match executor:
        case ConstantWorkers():
            name = "constant-workers"
            load = f"{counted(workers, 'worker')} for {show_duration(duration)}"
        case RampingWorkers(start_workers=start, stages=stages):
            name = "ramping-workers"
            load = f"{_ramps(start, stages)} workers over {show_duration(duration)}"
        case PerWorkerIterations(iterations_per_worker=each):
            name = "per-worker-iterations"
            iterations = (each or 0) * workers
            load = f"{counted(each or 0, 'iteration')} on each of {counted(workers, 'worker')}"
        case SharedIterations(shared_iterations=total):
            name = "shared-iterations"
            iterations = total or 0
            load = f"{counted(iterations, 'iteration')} shared by {counted(workers, 'worker')}"
        case ConstantArrivalRate(rate=rate):
            name = "constant-arrival-rate"
            load = (
                f"{rate:g} iterations/s for {show_duration(duration)} "
                f"on at most {counted(workers, 'worker')}"
            )
        case RampingArrivalRate(start_rate=rate, stages=stages):
            name = "ramping-arrival-rate"
            load = (
                f"{_ramps(rate, stages)} iterations/s over {show_duration(duration)} "
                f"on at most {counted(workers, 'worker')}"
            )
    if iterations is not None:
        load += f", for {show_duration(duration)} at most"
    return PlannedScenario(
        name=scenario.name,
        exec=scenario.exec,
        executor=name,
        load=load,
        workers=workers,
        start_seconds=scenario.start_seconds,
        duration_seconds=duration,
        grace_seconds=scenario.grace_seconds,
        iterations=iterations,
    )


def counted(number: int, noun: str) -> str:
    """``1 worker``, ``1,000 workers``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _ramps(start: float, stages: tuple[Stage, ...]) -> str:
    """``0 to 10 (5s) to 0 (1s)``."""
    words = [f"{start:g}"]
    words += [f"{stage.target:g} ({show_duration(stage.duration_seconds)})" for stage in stages]
    return " to ".join(words)
