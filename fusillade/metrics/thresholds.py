"""Thresholds: what a test's metrics have to fulfil.

``{"http_req_duration{name:login}": ["p95 < 500", {"threshold": "max < 2000", "abortOnFail": true,
"delayAbortEval": "10s"}]}``
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fusillade.durations import parse_duration

_METRIC = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?:\{(.*)\}\s*)?")
_EXPRESSION = re.compile(
    r"\s*(avg|min|max|med|rate|count|value|p\(?\s*\d+(?:\.\d+)?\s*\)?)\s*"
    r"(<=|>=|<|>|===|==|!=)\s*(-?\d+(?:\.\d+)?)\s*"
)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
}
_EXAMPLE = "write it as 'p95 < 500', 'avg < 200', 'rate < 0.01' or 'count > 100'"


class Threshold(msgspec.Struct, frozen=True):
    """One condition on one metric."""

    metric: str
    """As written, with its tag filter."""
    name: str
    tags: dict[str, str]
    expression: str
    aggregation: str
    """``avg``, ``min``, ``max``, ``med``, ``rate``, ``count`` or ``p``."""
    quantile: float
    """For ``p``: between 0 and 1."""
    comparison: str
    bound: float
    abort: bool = False
    abort_delay_seconds: float = 0.0

    @property
    def counts_to_the_end(self) -> bool:
        """Whether it says how many there have to be, which nobody knows before the end."""
        return self.aggregation == "count" and self.comparison not in ("<", "<=")

    def holds(self, value: float) -> bool:
        """Whether a value of the aggregation fulfils the condition."""
        return _OPERATORS[self.comparison](value, self.bound)


def parse_thresholds(
    raw: Mapping[str, Any], *, abort: bool = False, scenario: str | None = None
) -> list[Threshold]:
    """All conditions of a ``thresholds`` option. Raises ``ValueError`` naming the one that is
    wrong. ``abort``: as if each had ``abortOnFail``; ``scenario``: a tag that each gets."""
    found = []
    for metric, conditions in raw.items():
        for condition in conditions if isinstance(conditions, list) else [conditions]:
            try:
                found.append(_parse(metric, condition, abort, scenario))
            except ValueError as error:
                raise ValueError(f"'{metric}': {error}") from error
    return found


def _parse(metric: str, condition: Any, abort: bool, scenario: str | None) -> Threshold:
    delay = 0.0
    if isinstance(condition, Mapping):
        abort = abort or bool(_either(condition, "abortOnFail", "abort_on_fail", False))
        delay = parse_duration(_either(condition, "delayAbortEval", "delay_abort_eval", 0))
        condition = condition.get("threshold")
    if not isinstance(condition, str):
        raise ValueError(f"a threshold must be a text; {_EXAMPLE}")
    of_metric = _METRIC.fullmatch(metric)
    if of_metric is None:
        raise ValueError("is not a metric; write it as name or name{tag:value}")
    match = _EXPRESSION.fullmatch(condition)
    if match is None:
        raise ValueError(f"'{condition}' is not a threshold; {_EXAMPLE}")
    aggregation, comparison, bound = match.groups()
    quantile = 0.0
    if aggregation.startswith("p"):
        quantile = float(aggregation.strip("p() ")) / 100
        if not 0 <= quantile <= 1:
            raise ValueError(f"'{condition}': a percentile lies between 0 and 100")
        aggregation = "p"
    tags = _tags(of_metric[2] or "")
    if scenario is not None:
        tags["scenario"] = scenario
    return Threshold(
        metric=metric,
        name=of_metric[1],
        tags=tags,
        expression=condition,
        aggregation=aggregation,
        quantile=quantile,
        comparison=comparison,
        bound=float(bound),
        abort=abort,
        abort_delay_seconds=delay,
    )


def _either(condition: Mapping[str, Any], first: str, second: str, default: Any) -> Any:
    return condition.get(first, condition.get(second, default))


def _tags(text: str) -> dict[str, str]:
    tags = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, value = part.partition(":")
        if not colon:
            raise ValueError(f"the tag '{part}' must be written as name:value")
        tags[name.strip()] = value.strip().strip("'\"")
    return tags
