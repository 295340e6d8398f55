"""The ``options`` that a script exports, as one typed model."""

import ssl
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from fusillade.durations import parse_duration
from fusillade.metrics.thresholds import Threshold, parse_thresholds

EXECUTORS = (
    "constant-workers",
    "ramping-workers",
    "constant-arrival-rate",
    "ramping-arrival-rate",
    "per-worker-iterations",
    "shared-iterations",
)
K6_EXECUTORS = {
    "constant-vus": "constant-workers",
    "ramping-vus": "ramping-workers",
    "per-vu-iterations": "per-worker-iterations",
}


def _executor(value: object) -> object:
    name = K6_EXECUTORS.get(str(value), value)
    if name not in EXECUTORS:
        raise ValueError(
            f"there is no executor '{value}'; it must be one of {', '.join(EXECUTORS)}"
        )
    return name


def _thresholds(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be an object of the form {metric: ['p95 < 500']}")
    for metric, conditions in value.items():
        given = conditions if isinstance(conditions, list) else [conditions]
        for index, condition in enumerate(given):
            try:
                parse_thresholds({metric: [condition]})
            except ValueError as error:
                at = (metric, index) if isinstance(conditions, list) else (metric,)
                raise PydanticCustomError(
                    "threshold", "{words}", {"words": str(error), "at": at}
                ) from error
    return value


def _texts(value: object) -> object:
    """Numbers and truth values as text: JavaScript's authors do not quote them."""
    if not isinstance(value, dict):
        return value
    return {
        key: str(one).lower() if isinstance(one, int | float) else one for key, one in value.items()
    }


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be a URL that begins with http:// or https://")
    return value


def _header_value(value: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise ValueError("must not contain line ends")
    return value


def _certificates(value: str) -> str:
    try:
        ssl.create_default_context().load_verify_locations(cadata=value)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("must be certificates in PEM form") from error
    return value


DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*((\d+(\.\d+)?)(ms|s|m|h))+\s*$"},
        {"type": "number", "minimum": 0, "description": "milliseconds"},
    ],
    "examples": ["30s", "1.5m", "500ms", 1500],
}
_CONDITION_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["threshold"],
            "properties": {
                "threshold": {"type": "string"},
                "abortOnFail": {"type": "boolean"},
                "delayAbortEval": DURATION_SCHEMA,
            },
        },
    ]
}
_THRESHOLDS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [*_CONDITION_SCHEMA["anyOf"], {"type": "array", "items": _CONDITION_SCHEMA}]
    },
    "examples": [{"http_req_duration{name:login}": ["p95 < 500", "avg < 200"]}],
}

Seconds = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(DURATION_SCHEMA)]
Count = Annotated[int, Field(ge=0, strict=True)]
Workers = Annotated[int, Field(ge=1, strict=True)]
Number = Annotated[float, Field(ge=0, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
Rate = Annotated[float, Field(gt=0, strict=True)]
ExecutorName = Annotated[
    str,
    BeforeValidator(_executor),
    WithJsonSchema({"type": "string", "enum": [*EXECUTORS, *K6_EXECUTORS]}),
]
Thresholds = Annotated[
    dict[str, Any], BeforeValidator(_thresholds), WithJsonSchema(_THRESHOLDS_SCHEMA)
]


def _named(*names: str) -> AliasChoices:
    """All spellings of an option: each name in snake_case and camelCase, the main one first."""
    spelled = []
    for name in names:
        first, *rest = name.split("_")
        spelled += [name, first + "".join(part.title() for part in rest)]
    return AliasChoices(*dict.fromkeys(spelled))


_CONFIG = ConfigDict(extra="allow", use_attribute_docstrings=True)


class StageOptions(BaseModel):
    """One linear ramp."""

    model_config = _CONFIG

    duration: Seconds
    """How long it takes to reach the target."""
    target: Number
    """Workers at its end; under an arrival-rate executor, iterations per ``timeUnit``."""


class LoadOptions(BaseModel):
    """What describes a load model: of the whole test, or of one scenario."""

    model_config = _CONFIG

    executor: ExecutorName | None = None
    """The load model. Without it: ``constant-arrival-rate`` where a rate is given,
    ``ramping-workers`` where stages are, ``per-worker-iterations`` where iterations are,
    ``constant-workers`` otherwise."""
    workers: Workers | None = Field(default=None, validation_alias=_named("workers", "vus"))
    """Virtual users at once; 1 where nothing is given."""
    start_workers: Count | None = Field(
        default=None,
        validation_alias=AliasChoices("start_workers", "startWorkers", "start_vus", "startVUs"),
    )
    """Workers before the first stage of ``ramping-workers``."""
    duration: Seconds | None = Field(
        default=None, validation_alias=_named("duration", "max_duration")
    )
    """How long the load lasts. A number is milliseconds."""
    iterations: Workers | None = None
    """Iterations per worker; under ``shared-iterations``, of all workers together."""
    stages: list[StageOptions] | None = Field(
        default=None, validation_alias=_named("stages", "schedule")
    )
    """Linear ramps, one after the other."""
    rate: Rate | None = None
    """Iterations started per ``timeUnit``, whatever the response times."""
    start_rate: Number = Field(default=0.0, validation_alias=_named("start_rate"))
    """Rate before the first stage of ``ramping-arrival-rate``."""
    time_unit: Annotated[Seconds, Field(gt=0)] = Field(
        default=1.0, validation_alias=_named("time_unit"), json_schema_extra={"default": "1s"}
    )
    """What rates are counted per."""
    pre_allocated_workers: Count | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "pre_allocated_workers", "preAllocatedWorkers", "pre_allocated_vus", "preAllocatedVUs"
        ),
    )
    """Same as ``workers``, under an arrival-rate executor."""
    max_workers: Workers | None = Field(
        default=None,
        validation_alias=AliasChoices("max_workers", "maxWorkers", "max_vus", "maxVUs"),
    )
    """The most workers at once, under an arrival-rate executor."""
    thresholds: Thresholds = Field(default={}, validation_alias=_named("thresholds", "criteria"))
    """What metrics have to fulfil; a scenario's look at that scenario alone."""
    stop: Seconds = Field(
        default=30.0,
        validation_alias=_named("stop", "graceful_stop"),
        json_schema_extra={"default": "30s"},
    )
    """Time that iterations under way get when the duration is over. A scenario without one has
    the test's."""
    response_sink: Flag | None = Field(
        default=None, validation_alias=_named("response_sink", "discard_response_bodies")
    )
    """Drop bodies of responses: ``body`` is null, sizes are still measured. A scenario without
    one has the test's."""
    tags: Texts = {}
    """Tags of everything that is measured; a scenario's come on top of the test's."""
    env: Texts = {}
    """Variables in ``__ENV`` during iterations, on top of those given with the test; a scenario's
    come on top of the test's."""

    @model_validator(mode="after")
    def _is_complete(self) -> "LoadOptions":
        if self.executor in ("ramping-workers", "ramping-arrival-rate") and not self.stages:
            raise ValueError(f"the executor '{self.executor}' needs stages: [{{duration, target}}]")
        if self.executor == "constant-arrival-rate" and self.rate is None:
            raise ValueError("the executor 'constant-arrival-rate' needs rate: iterations a second")
        return self


class ScenarioOptions(LoadOptions):
    """One of several load models that run side by side."""

    exec: str = "default"
    """Name of the exported function that is one iteration."""
    start_time: Seconds = Field(
        default=0.0, validation_alias=_named("start_time"), json_schema_extra={"default": "0s"}
    )
    """From the start of the test to that of the scenario."""


class Options(LoadOptions):
    """What a Fusillade test script may export as ``options``."""

    scenarios: dict[str, ScenarioOptions] | None = None
    """Several load models at once, by name. Where there are some, the load model beside them
    counts for nothing."""
    min_iteration_duration: Seconds = Field(
        default=0.0,
        validation_alias=_named("min_iteration_duration"),
        json_schema_extra={"default": "0s"},
    )
    """Shorter iterations are followed by a pause up to this."""
    warmup: Annotated[str, AfterValidator(_url)] | None = None
    """URL that is requested once for each connection that the workers will need, before the start
    and without being measured."""
    setup_timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=60.0,
        validation_alias=_named("setup_timeout"),
        json_schema_extra={"default": "60s"},
    )
    """How long ``setup()`` may take; then the test fails."""
    teardown_timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=60.0,
        validation_alias=_named("teardown_timeout"),
        json_schema_extra={"default": "60s"},
    )
    """How long ``teardown()`` may take; then the test fails."""
    jitter: Seconds = Field(default=0.0, json_schema_extra={"default": "0s"})
    """Before each request a random delay up to this; it is not part of the request's duration."""
    drop: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    """Share of the requests, between 0 and 1, that fail without being sent: status 0 and the error
    ``Simulated network drop``."""
    no_endpoint_tracking: Flag = Field(
        default=False, validation_alias=_named("no_endpoint_tracking")
    )
    """Count all requests under one name instead of one for each endpoint."""
    max_redirects: Count = Field(default=10, validation_alias=_named("max_redirects"))
    """Redirects that a request follows, unless it says otherwise."""
    insecure: Flag = Field(
        default=False,
        validation_alias=AliasChoices(
            "insecure", "insecure_skip_tls_verify", "insecureSkipTlsVerify", "insecureSkipTLSVerify"
        ),
    )
    """Accept any TLS certificate."""
    abort_on_fail: Flag = Field(default=False, validation_alias=_named("abort_on_fail"))
    """End the test as soon as any threshold is crossed."""
    user_agent: Annotated[str, AfterValidator(_header_value)] | None = Field(
        default=None, validation_alias=_named("user_agent")
    )
    """The header ``User-Agent`` of requests that have none of their own."""
    http_driver: Literal["sockets", "libcurl"] = Field(
        default="sockets", validation_alias=_named("http_driver")
    )
    """What sends requests: sockets of our own, or libcurl, which is slower."""
    ca_certificates: Annotated[str, AfterValidator(_certificates)] = Field(
        default="", validation_alias=_named("ca_certificates")
    )
    """Certificates (PEM) of authorities that are trusted besides the system's, as from
    ``open('ca.pem')``."""
    no_connection_reuse: Flag = Field(default=False, validation_alias=_named("no_connection_reuse"))
    """A new connection for each request."""
    no_vu_connection_reuse: Flag = Field(
        default=False,
        validation_alias=AliasChoices(
            "no_vu_connection_reuse", "noVUConnectionReuse", "noVuConnectionReuse"
        ),
    )
    """Each worker has connections of its own, and new ones in each iteration."""
    stack_size: Any = Field(default=None, validation_alias=_named("stack_size"))
    """Accepted, without effect: a memory limit for each script host applies instead."""
    heap_size: Any = Field(default=None, validation_alias=_named("heap_size"))
    """Accepted, without effect: a memory limit for each script host applies instead."""
    memory_safe: Any = Field(default=None, validation_alias=_named("memory_safe"))
    """Accepted, without effect: a memory limit for each script host applies instead."""


def thresholds_of(options: Mapping[str, Any]) -> list[Threshold]:
    """All thresholds of a test, by its options as they are stored."""
    abort = bool(options.get("abort_on_fail"))
    found = parse_thresholds(options.get("thresholds", {}), abort=abort)
    for name, scenario in (options.get("scenarios") or {}).items():
        found += parse_thresholds(scenario.get("thresholds", {}), abort=abort, scenario=name)
    return found


def longest_grace(options: Mapping[str, Any]) -> float:
    """Seconds that iterations under way get at the most, by a test's options as they are stored."""
    whole = float(options.get("stop", 30.0))
    scenarios = (options.get("scenarios") or {}).values()
    return max((float(scenario.get("stop", whole)) for scenario in scenarios), default=whole)


def peak_arrival_rate(options: Mapping[str, Any]) -> float:
    """The most iterations a second that the arrival rates of a test ask for, by its options as they
    are stored; 0 without arrival rates. Of several scenarios it is the sum of their highest rates,
    whenever these are."""
    return sum(map(_peak_rate, (options.get("scenarios") or {"": options}).values()))


def _peak_rate(load: Mapping[str, Any]) -> float:
    executor, rate = load.get("executor"), load.get("rate")
    rates: list[float] = []
    if executor == "ramping-arrival-rate":
        rates = [load.get("start_rate", 0.0), *(one["target"] for one in load.get("stages") or ())]
    elif rate is not None and executor in (None, "constant-arrival-rate"):
        rates = [rate]
    return max(rates, default=0.0) / float(load.get("time_unit", 1.0))
