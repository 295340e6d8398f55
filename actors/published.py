"""Metrics of this process, given to Ray, which shows all of a node's where Prometheus asks."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

import ray
from ray.util import metrics

from fusillade.metrics.catalogue import Metric

_EVERY_SECONDS = 5.0
"""How often a gauge is set that is to stay: Ray forgets one that was not set for two of its
intervals, of 10 s each where nothing else is said."""

_log = logging.getLogger(__name__)


def show(metric: Metric, value: float, tags: Mapping[str, str] | None = None) -> None:
    """Set a gauge."""
    if ray.is_initialized():
        _gauge(metric).set(value, dict(tags or {}))


def show_each(metric: Metric, values: Mapping[str, float]) -> None:
    """Set a gauge for each value of its only tag."""
    (tag,) = metric.tags
    for name, value in values.items():
        show(metric, value, {tag: name})


async def again_and_again(look: Callable[[], Awaitable[None]]) -> NoReturn:
    """Have gauges set for as long as this process lives; ``look`` sets them."""
    while True:
        try:
            await look()
        except Exception as error:  # the database is away: the gauges go, until it is back
            _log.warning("metrics for dashboards: %s: %s", type(error).__name__, error)
        await asyncio.sleep(_EVERY_SECONDS)


@functools.cache
def _gauge(metric: Metric) -> metrics.Gauge:
    return metrics.Gauge(metric.name, metric.description, metric.tags)
