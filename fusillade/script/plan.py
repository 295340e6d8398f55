"""What a test will do: its options, normalised to scenarios with executors.

How the API's ``workers`` and ``duration`` meet the script's own load model: they win. Without
stages or scenarios they are the load. With them they set the size and the length while the shape
stays the script's: durations and start times are scaled so that the whole takes ``duration``,
worker counts so that the most workers at once (summed over the scenarios) are ``workers``. Arrival
rates stay what they are.
"""

from dataclasses import dataclass
from typing import Any, Literal

from fusillade.engine.executors.base import Executor
from fusillade.engine.executors.constant_arrival_rate import ConstantArrivalRate
from fusillade.engine.executors.constant_workers import ConstantWorkers
from fusillade.engine.executors.per_worker_iterations import PerWorkerIterations
from fusillade.engine.executors.ramping_arrival_rate import RampingArrivalRate
from fusillade.engine.executors.ramping_workers import RampingWorkers
from fusillade.engine.executors.shared_iterations import SharedIterations
from fusillade.engine.executors.stage import Stage
from fusillade.hosting.messages import Overrides, Problem
from fusillade.script.option_places import OptionPlaces
from fusillade.script.option_problems import at_place, parse_options
from fusillade.script.options import LoadOptions, Options, ScenarioOptions

_LONGEST_ITERATIONS_SECONDS = 600.0
"""How long an executor of limited iterations may take when no duration is given."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load model with its function."""

    name: str
    exec: str
    executor: Executor
    start_seconds: float
    grace_seconds: float
    min_iteration_seconds: float
    first_worker_id: int
    """Number of its first worker; workers are numbered from 1 through all scenarios."""
    tags: dict[str, str]
    env: dict[str, str]
    response_sink: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a host needs to know to run its share."""

    scenarios: tuple[Scenario, ...]
    max_redirects: int
    response_sink: bool
    insecure: bool
    user_agent: str | None
    http_driver: Literal["sockets", "libcurl"]
    ca_certificates: str
    """PEM of authorities that are trusted besides the system's."""
    connection_reuse: bool
    """Whether a connection serves more than one request."""
    own_connections: bool
    """Whether each worker has connections of its own, which end with its iteration."""
    warmup: str | None
    """URL to open connections with before the start."""
    setup_timeout_seconds: float
    teardown_timeout_seconds: float
    jitter_seconds: float
    drop: float
    no_endpoint_tracking: bool
    options: dict[str, Any]
    """The options as JSON, with the overrides applied."""
    warnings: list[Problem]

    @property
    def duration_seconds(self) -> float:
        """From the start to the last scenario's planned end, without grace."""
        return max(
            scenario.start_seconds + scenario.executor.duration_seconds
            for scenario in self.scenarios
        )

    @property
    def max_workers(self) -> int:
        """An upper bound of the workers at once."""
        return sum(scenario.executor.max_workers for scenario in self.scenarios)


def make_plan(
    raw: object, exports: list[str], overrides: Overrides, places: OptionPlaces
) -> Plan | list[Problem]:
    """A plan, or what is wrong. ``raw`` is the exported ``options`` as JSON, ``exports`` the
    names of the exported functions, ``places`` where the options stand (for the problems)."""
    parsed = parse_options(raw, places)
    if isinstance(parsed, list):
        return parsed
    options, warnings = parsed
    if options.scenarios:
        given = dict(options.scenarios)
    else:
        given = {"default": _only_scenario(options)}
        if overrides.iterations is not None:
            given["default"].iterations = overrides.iterations
    problems = [
        at_place(
            f"options.scenarios.{name}.exec: the script does not export a function "
            f"'{scenario.exec}'",
            places.of_value(("scenarios", name, "exec")),
        )
        if options.scenarios
        else Problem(
            message="the script has no default export; write `export default function () { ... }`",
            file=places.file,
        )
        for name, scenario in given.items()
        if scenario.exec not in exports
    ]
    if problems:
        return problems
    sized = _sized({name: _executor(load) for name, load in given.items()}, given, overrides)
    scenarios = []
    first_worker_id = 1
    for name, load in given.items():
        executor, start = sized[name]
        scenarios.append(
            Scenario(
                name=name,
                exec=load.exec,
                executor=executor,
                start_seconds=start,
                grace_seconds=load.stop,
                min_iteration_seconds=options.min_iteration_duration,
                first_worker_id=first_worker_id,
                tags=options.tags | load.tags,
                env=options.env | load.env,
                response_sink=bool(
                    options.response_sink if load.response_sink is None else load.response_sink
                ),
            )
        )
        first_worker_id += executor.max_workers
    return Plan(
        scenarios=tuple(scenarios),
        max_redirects=options.max_redirects,
        response_sink=bool(options.response_sink),
        insecure=options.insecure,
        user_agent=options.user_agent,
        http_driver=options.http_driver,
        ca_certificates=options.ca_certificates,
        connection_reuse=not options.no_connection_reuse,
        own_connections=options.no_vu_connection_reuse,
        warmup=options.warmup,
        setup_timeout_seconds=options.setup_timeout,
        teardown_timeout_seconds=options.teardown_timeout,
        jitter_seconds=options.jitter,
        drop=options.drop,
        no_endpoint_tracking=options.no_endpoint_tracking,
        options=options.model_dump(mode="json", exclude_none=True),
        warnings=warnings,
    )


def _only_scenario(options: Options) -> ScenarioOptions:
    """The load model of a script without scenarios."""
    return ScenarioOptions.model_construct(
        **{name: getattr(options, name) for name in LoadOptions.model_fields}
    )


def _executor(load: LoadOptions) -> Executor:
    name = load.executor
    if name is None:
        if load.rate is not None:
            name = "constant-arrival-rate"
        elif load.stages:
            name = "ramping-workers"
        else:
            name = "per-worker-iterations" if load.iterations else "constant-workers"
    workers = max(load.workers or 1, load.max_workers or 0, load.pre_allocated_workers or 0)
    if name in ("constant-arrival-rate", "ramping-arrival-rate"):
        return _open_executor(name, load, workers)
    if name == "ramping-workers":
        stages = tuple(Stage(stage.duration, stage.target) for stage in load.stages or ())
        start = load.start_workers if load.start_workers is not None else load.workers or 0
        return RampingWorkers(start, stages)
    if name == "constant-workers":
        return ConstantWorkers(workers, load.duration if load.duration is not None else 30.0)
    longest = load.duration if load.duration is not None else _LONGEST_ITERATIONS_SECONDS
    if name == "per-worker-iterations":
        return PerWorkerIterations(workers, load.iterations or 1, longest)
    return SharedIterations(workers, load.iterations or 1, longest)


def _open_executor(name: str, load: LoadOptions, workers: int) -> Executor:
    unit = load.time_unit
    if name == "constant-arrival-rate":
        assert load.rate is not None
        seconds = load.duration if load.duration is not None else 30.0
        return ConstantArrivalRate(load.rate / unit, seconds, workers)
    stages = tuple(Stage(stage.duration, stage.target / unit) for stage in load.stages or ())
    return RampingArrivalRate(load.start_rate / unit, stages, workers)


def _sized(
    executors: dict[str, Executor], given: dict[str, ScenarioOptions], overrides: Overrides
) -> dict[str, tuple[Executor, float]]:
    """Executors and start times with the overrides applied."""
    longest = max(
        given[name].start_time + executor.duration_seconds for name, executor in executors.items()
    )
    time_scale = 1.0
    if overrides.duration_seconds is not None and longest > 0:
        time_scale = overrides.duration_seconds / longest
    workers = {name: executor.max_workers for name, executor in executors.items()}
    if overrides.workers is not None:
        workers = _apportioned(workers, overrides.workers)
    return {
        name: (
            _scaled(executor, time_scale, workers[name]),
            given[name].start_time * time_scale,
        )
        for name, executor in executors.items()
    }


def _apportioned(parts: dict[str, int], total: int) -> dict[str, int]:
    """``total`` split in the ratio of ``parts``, each at least 1 (then the sum may be larger)."""
    whole = sum(parts.values())
    result = {}
    before = seen = 0
    for name, part in parts.items():
        seen += part
        upto = seen * total // whole if whole else total
        result[name] = max(1, upto - before)
        before = upto
    return result


def _scaled(executor: Executor, time_scale: float, workers: int) -> Executor:
    duration = executor.duration_seconds * time_scale
    match executor:
        case RampingWorkers():
            factor = workers / executor.max_workers if executor.max_workers else 0.0
            return RampingWorkers(
                round(executor.start_workers * factor),
                tuple(
                    Stage(stage.duration_seconds * time_scale, round(stage.target * factor))
                    for stage in executor.stages
                ),
            )
        case ConstantWorkers():
            return ConstantWorkers(workers, duration)
        case ConstantArrivalRate():
            return ConstantArrivalRate(executor.rate, duration, workers)
        case RampingArrivalRate():
            stages = tuple(
                Stage(stage.duration_seconds * time_scale, stage.target)
                for stage in executor.stages
            )
            return RampingArrivalRate(executor.start_rate, stages, workers)
        case PerWorkerIterations():
            return PerWorkerIterations(workers, executor.iterations_per_worker, duration)
        case SharedIterations():
            return SharedIterations(workers, executor.shared_iterations, duration)
    raise TypeError(f"unknown executor {type(executor).__name__}")
