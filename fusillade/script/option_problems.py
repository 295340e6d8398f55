"""What is wrong with a script's ``options``, and where in its source."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fusillade.hosting.messages import Problem
from fusillade.metrics.requests import PHASES, metric_of
from fusillade.metrics.thresholds import parse_thresholds
from fusillade.script.option_places import OptionPlaces, Path, Place
from fusillade.script.options import LoadOptions, Options

_BY_SCENARIO = ("vus", *(metric_of(phase) for phase in PHASES))


def parse_options(
    raw: object, places: OptionPlaces
) -> tuple[Options, list[Problem]] | list[Problem]:
    """The options and warnings about them, or what is wrong with them.

    ``raw`` is the script's exported ``options`` as JSON; ``places`` tells where they stand.
    """
    if not isinstance(raw, dict):
        return [at_place("options: must be an object", places.of_value(()))]
    try:
        options = Options.model_validate(raw)
    except ValidationError as error:
        return [_problem(detail, places) for detail in error.errors()]
    if options.scenarios:
        for scenario in options.scenarios.values():
            if "stop" not in scenario.model_fields_set:
                scenario.stop = options.stop
    return options, [
        at_place(f"{spelled(path)} {words}", places.of_key(path), "warning")
        for path, words in (*_without_effect(options, raw, ()), *_blind_thresholds(options, raw))
    ]


def at_place(message: str, place: Place, severity: str = "error") -> Problem:
    """A problem at a place of the author's files."""
    return Problem(
        message=message,
        file=place.file,
        line=place.line,
        column=place.column,
        severity=severity,
    )


def spelled(path: Path) -> str:
    """A path inside the options as a script would write it."""
    text = "options"
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text


def _problem(detail: Any, places: OptionPlaces) -> Problem:
    path: Path = tuple(detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "int_type" | "int_parsing" | "int_from_float":
            message = "must be a whole number"
        case "float_type" | "float_parsing":
            message = "must be a number"
        case "bool_type" | "bool_parsing":
            message = "must be true or false"
        case "string_type":
            message = "must be a text"
        case "missing":
            message = "is missing"
        case "list_type":
            message = "must be an array"
        case "dict_type" | "model_type" | "model_attributes_type":
            message = "must be an object"
        case "literal_error":
            message = f"must be {context['expected']}"
        case "greater_than_equal":
            message = f"must be at least {context['ge']:g}"
        case "greater_than":
            message = f"must be more than {context['gt']:g}"
        case "less_than_equal":
            message = f"must be at most {context['le']:g}"
    given = detail.get("input")
    if isinstance(given, str | int | float | bool) and "'" not in message:
        shown = str(given).lower() if isinstance(given, bool) else repr(given)
        message += f", but is {shown}"
    return at_place(f"{spelled(path)}: {message}", places.of_value((*path, *context.get("at", ()))))


def _without_effect(model: BaseModel, raw: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """What nobody knows, at any depth, with words about it. ``raw``: what ``model`` was made of."""
    spellings = {name: _spellings(name, info) for name, info in type(model).model_fields.items()}
    known = {spelling for all_of_one in spellings.values() for spelling in all_of_one}
    for name in model.model_extra or {}:
        if name in known:
            yield (*path, name), "says again what another name of the same option says"
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        yield (*path, name), f"is not an option and has no effect{hint}"
    for name, all_of_one in spellings.items():
        value = getattr(model, name)
        given = next((spelling for spelling in all_of_one if spelling in raw), name)
        inner: Iterable[tuple[Any, Any]] = enumerate(value) if isinstance(value, list) else ()
        if isinstance(value, dict):
            inner = value.items()
        for key, item in inner:
            if isinstance(item, BaseModel):
                yield from _without_effect(item, raw[given][key], (*path, given, key))


def _blind_thresholds(options: Options, raw: Any) -> Iterator[tuple[Path, str]]:
    """Thresholds with a filter that nothing measured can pass."""
    parts: list[tuple[LoadOptions, Any, Path]] = [(options, raw, ())]
    for name, scenario in (options.scenarios or {}).items():
        parts.append((scenario, raw["scenarios"][name], ("scenarios", name)))
    for part, given, path in parts:
        option = "thresholds" if "thresholds" in given else "criteria"
        for threshold in parse_thresholds(part.thresholds):
            if threshold.name in _BY_SCENARIO and set(threshold.tags) - {"scenario"}:
                yield (
                    (*path, option, threshold.metric),
                    f"finds nothing: {threshold.name} is kept by scenario, not by other tags",
                )


def _spellings(name: str, info: FieldInfo) -> list[str]:
    if isinstance(info.validation_alias, AliasChoices):
        return [str(choice) for choice in info.validation_alias.choices]
    return [name]
