"""The ``options`` that a script exports, as one typed model."""

import difflib
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from fusillade.durations import parse_duration
from fusillade.hosting.messages import Problem
from fusillade.metrics.thresholds import Threshold, parse_thresholds

Seconds = Annotated[float, BeforeValidator(parse_duration)]
Count = Annotated[int, Field(ge=0, strict=True)]
Workers = Annotated[int, Field(ge=1, strict=True)]

EXECUTORS = (
    "constant-workers",
    "ramping-workers",
    "constant-arrival-rate",
    "ramping-arrival-rate",
    "per-worker-iterations",
    "shared-iterations",
)
_K6_NAMES = {
    "constant-vus": "constant-workers",
    "ramping-vus": "ramping-workers",
    "per-vu-iterations": "per-worker-iterations",
}


def _executor(value: object) -> object:
    name = _K6_NAMES.get(str(value), value)
    if name not in EXECUTORS:
        raise ValueError(
            f"there is no executor '{value}'; it must be one of {', '.join(EXECUTORS)}"
        )
    return name


def _thresholds(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be an object of the form {metric: ['p95 < 500']}")
    parse_thresholds(value)
    return value


Rate = Annotated[float, Field(gt=0)]
Thresholds = Annotated[dict[str, Any], BeforeValidator(_thresholds)]


def _aliases(*names: str) -> AliasChoices:
    """All spellings of an option: each name in snake_case and camelCase."""
    spelled = []
    for name in names:
        first, *rest = name.split("_")
        spelled += [name, first + "".join(part.title() for part in rest)]
    return AliasChoices(*dict.fromkeys(spelled))


class StageOptions(BaseModel):
    """One linear ramp."""

    model_config = ConfigDict(extra="allow")

    duration: Seconds
    target: Annotated[float, Field(ge=0)]


class LoadOptions(BaseModel):
    """What describes a load model: of the whole test, or of one scenario."""

    model_config = ConfigDict(extra="allow")

    executor: Annotated[str | None, BeforeValidator(_executor)] = None
    workers: Workers | None = Field(default=None, validation_alias=_aliases("workers", "vus"))
    start_workers: Count | None = Field(
        default=None, validation_alias=_aliases("start_workers", "start_vus", "startVUs")
    )
    duration: Seconds | None = Field(
        default=None, validation_alias=_aliases("duration", "max_duration")
    )
    iterations: Workers | None = None
    stages: list[StageOptions] | None = Field(
        default=None, validation_alias=_aliases("stages", "schedule")
    )
    rate: Rate | None = None
    """Iterations started per ``time_unit``."""
    start_rate: Annotated[float, Field(ge=0)] = Field(
        default=0.0, validation_alias=_aliases("start_rate")
    )
    time_unit: Annotated[Seconds, Field(gt=0)] = Field(
        default=1.0, validation_alias=_aliases("time_unit")
    )
    pre_allocated_workers: Count | None = Field(
        default=None,
        validation_alias=_aliases("pre_allocated_workers", "pre_allocated_vus", "preAllocatedVUs"),
    )
    max_workers: Workers | None = Field(
        default=None, validation_alias=_aliases("max_workers", "max_vus", "maxVUs")
    )
    thresholds: Thresholds = Field(default={}, validation_alias=_aliases("thresholds", "criteria"))
    stop: Seconds = Field(default=30.0, validation_alias=_aliases("stop", "graceful_stop"))

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
    start_time: Seconds = Field(default=0.0, validation_alias=_aliases("start_time"))
    tags: dict[str, str] = {}


class Options(LoadOptions):
    """Everything that a script may export as ``options``."""

    scenarios: dict[str, ScenarioOptions] | None = None
    min_iteration_duration: Seconds = Field(
        default=0.0, validation_alias=_aliases("min_iteration_duration")
    )
    max_redirects: Count = Field(default=10, validation_alias=_aliases("max_redirects"))
    response_sink: bool = Field(
        default=False,
        validation_alias=_aliases("response_sink", "discard_response_bodies"),
    )
    insecure: bool = Field(
        default=False,
        validation_alias=_aliases("insecure", "insecure_skip_tls_verify", "insecureSkipTLSVerify"),
    )
    abort_on_fail: bool = Field(default=False, validation_alias=_aliases("abort_on_fail"))
    user_agent: str | None = Field(default=None, validation_alias=_aliases("user_agent"))
    http_driver: Literal["sockets", "libcurl"] = Field(
        default="sockets", validation_alias=_aliases("http_driver")
    )


def thresholds_of(options: dict[str, Any]) -> list[Threshold]:
    """All thresholds of a test, by its options as they are stored."""
    abort = bool(options.get("abort_on_fail"))
    found = parse_thresholds(options.get("thresholds", {}), abort=abort)
    for name, scenario in (options.get("scenarios") or {}).items():
        found += parse_thresholds(scenario.get("thresholds", {}), abort=abort, scenario=name)
    return found


_NOT_YET = {
    "warmup",
    "jitter",
    "drop",
    "no_endpoint_tracking",
    "env",
}
_ACCEPTED = {"stack_size", "heap_size", "memory_safe"}


def parse_options(raw: object, file: str) -> tuple[Options, list[Problem]] | list[Problem]:
    """The options and warnings about them, or what is wrong with them.

    ``raw`` is the script's exported ``options`` as JSON; ``file`` is named in the problems.
    """
    if not isinstance(raw, dict):
        return [Problem(message="options: must be an object", file=file)]
    try:
        options = Options.model_validate(raw)
    except ValidationError as error:
        return [_problem(detail, file) for detail in error.errors()]
    return options, [
        Problem(message=message, file=file, severity="warning")
        for message in _unknown(options, "options")
    ]


def _problem(detail: Any, file: str) -> Problem:
    path = "options"
    for part in detail["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    message = detail["msg"].removeprefix("Value error, ")
    match detail["type"]:
        case "int_type" | "int_parsing" | "int_from_float":
            message = "must be a whole number"
        case "missing":
            message = "is missing"
        case "list_type":
            message = "must be an array"
        case "dict_type" | "model_type" | "model_attributes_type":
            message = "must be an object"
        case "greater_than_equal":
            message = f"must be at least {detail['ctx']['ge']}"
    given = detail.get("input")
    if isinstance(given, str | int | float | bool) and "'" not in message:
        message += f", but is {given!r}"
    return Problem(message=f"{path}: {message}", file=file)


def _unknown(model: BaseModel, path: str) -> list[str]:
    """Warnings for options that nobody knows, or that have no effect yet, at any depth."""
    known = set(type(model).model_fields)
    for info in type(model).model_fields.values():
        if isinstance(info.validation_alias, AliasChoices):
            known |= {str(choice) for choice in info.validation_alias.choices}
    messages = []
    for name in model.model_extra or {}:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        if snake in _ACCEPTED:
            continue
        if snake in _NOT_YET:
            messages.append(f"{path}.{name} has no effect yet")
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        messages.append(f"{path}.{name} is not an option and has no effect{hint}")
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            messages += _unknown(value, f"{path}.{name}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    messages += _unknown(item, f"{path}.{name}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    messages += _unknown(item, f"{path}.{name}.{key}")
    return messages
