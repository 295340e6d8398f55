"""Metrics of this process, given to Ray, which shows all of a node's where Prometheus asks."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

import ray
from ray.util import metrics

from actors.config import Watching
from fusillade.metrics.catalogue import Metric
from fusillade.metrics.run_gauges import EVERY_SECONDS

if TYPE_CHECKING:
    from fusillade.telemetry.meters import Meters

_meters: list["Meters"] = []
"""Of this process, if a collector of OpenTelemetry is told as well."""

_log = logging.getLogger(__name__)


def begin(watching: Watching, actor: str) -> None:
    """Also tell a collector of OpenTelemetry, if there is to be one, as this actor."""
    if watching.otlp_endpoint is not None and ray.is_initialized():
        from fusillade.telemetry.meters import Meters

        _meters[:] = [Meters(watching.otlp_endpoint, actor)]


def show(metric: Metric, value: float, tags: Mapping[str, str] | None = None) -> None:
    """Set a gauge."""
    tags = dict(tags or {})
    if ray.is_initialized():
        _gauge(metric).set(value, tags)
    for meters in _meters:
        meters.show(metric, value, tags)


def show_each(metric: Metric, values: Mapping[str, float]) -> None:
    """Set a gauge for each value of its only tag."""
    (tag,) = metric.tags
    for name, value in values.items():
        show(metric, value, {tag: name})


async def again_and_again(look: Callable[[], Awaitable[None]]) -> NoReturn:
    """Have gauges set for as long as this process lives; ``look`` sets them, often enough: Ray
    forgets one that was not set for two of its intervals, of 10 s each where nothing else is said.
    """
    while True:
        try:
            await look()
        except Exception as error:  # the database is away: the gauges go, until it is back
            _log.warning("metrics for dashboards: %s: %s", type(error).__name__, error)
        await asyncio.sleep(EVERY_SECONDS)


async def flush() -> None:
    """Have a collector know now: this process is about to end."""
    for meters in _meters:
        await asyncio.to_thread(meters.flush)


@functools.cache
def _gauge(metric: Metric) -> metrics.Gauge:
    return metrics.Gauge(metric.name, metric.description, metric.tags)
