"""What dashboards show of a run, by region and by scenario: a bounded number of values."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fusillade.metrics import catalogue
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.catalogue import Metric
from fusillade.metrics.histogram import Histogram
from fusillade.metrics.parts import Part

EVERY_SECONDS = 5
"""How often they are read: twice in an interval of Ray's, so that none goes by without."""

LAST_SECONDS = 10
"""Over how many seconds quantiles are taken: over an interval of Ray's."""

MOST_VALUES = 20
"""Of a tag. Further regions or scenarios are one, ``other``."""

_MOST_CHARACTERS = 80
_OTHER = "other"
_QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Sample:
    """The present value of a metric."""

    metric: Metric
    value: float
    tags: dict[str, str]


class RunGauges:
    """Of one test; ``read`` it every EVERY_SECONDS."""

    def __init__(self, test_id: str, name: str) -> None:
        self._test = {"test": test_id}
        self._name = name[:_MOST_CHARACTERS]
        earlier = LAST_SECONDS // EVERY_SECONDS
        self._regions: deque[Mapping[str, Part]] = deque(maxlen=earlier)
        self._scenarios: deque[Mapping[str, Part]] = deque(maxlen=earlier)

    def read(self, aggregate: Aggregate, second: int) -> list[Sample]:
        """The values as of this second of the run."""
        regions = _bounded(aggregate.parts_by_region(second))
        scenarios = _bounded(aggregate.parts_by_scenario(second))
        whole: list[tuple[Metric, float]] = [
            (catalogue.RUN_WORKER_ACTORS, aggregate.shares),
            (
                catalogue.RUN_SATURATED_WORKER_ACTORS,
                aggregate.saturated_shares(second, LAST_SECONDS),
            ),
            (catalogue.RUN_CROSSED_THRESHOLDS, len(aggregate.crossed(second + 1))),
        ]
        samples = [
            Sample(catalogue.RUN_INFO, 1, self._test | {"name": self._name}),
            *(Sample(metric, value, self._test) for metric, value in whole),
            *self._of_regions(regions),
            *self._of_scenarios(scenarios),
        ]
        self._regions.append(regions)
        self._scenarios.append(scenarios)
        return samples

    def _of_regions(self, parts: Mapping[str, Part]) -> Iterator[Sample]:
        for region, part in parts.items():
            tags = self._test | {"region": region}
            yield Sample(catalogue.RUN_REQUESTS, part.requests, tags)
            yield Sample(catalogue.RUN_FAILED_REQUESTS, part.failed, tags)
            yield Sample(catalogue.RUN_ACTIVE_WORKERS, part.active_workers, tags)
            yield from _latencies(catalogue.RUN_LATENCY, region, part, self._regions, tags)

    def _of_scenarios(self, parts: Mapping[str, Part]) -> Iterator[Sample]:
        for name, part in parts.items():
            tags = self._test | {"scenario": name}
            yield Sample(catalogue.SCENARIO_REQUESTS, part.requests, tags)
            yield Sample(catalogue.SCENARIO_FAILED_REQUESTS, part.failed, tags)
            yield Sample(catalogue.SCENARIO_ACTIVE_WORKERS, part.active_workers, tags)
            yield Sample(catalogue.SCENARIO_ITERATIONS, part.iterations, tags)
            yield Sample(catalogue.SCENARIO_DROPPED_ITERATIONS, part.dropped_iterations, tags)
            yield from _latencies(catalogue.SCENARIO_LATENCY, name, part, self._scenarios, tags)


def _latencies(
    metric: Metric,
    name: str,
    part: Part,
    earlier: deque[Mapping[str, Part]],
    tags: dict[str, str],
) -> Iterator[Sample]:
    """Quantiles of what has come since the earliest that is kept; none where nothing has."""
    latest = part.latency
    if earlier and name in earlier[0]:
        latest = latest.since(earlier[0][name].latency)
    if latest.count:
        for quantile, value in zip(_QUANTILES, latest.quantiles(list(_QUANTILES)), strict=True):
            yield Sample(metric, value / 1000, tags | {"quantile": f"{quantile:g}"})


def _bounded(parts: Iterable[tuple[str, Part]]) -> dict[str, Part]:
    """At most MOST_VALUES of them, each with a name of bounded length, and one for all others."""
    found: dict[str, Part] = {}
    for name, part in parts:
        name = name[:_MOST_CHARACTERS] or _OTHER
        if name not in found and len(found) >= MOST_VALUES:
            name = _OTHER
        known = found.setdefault(name, Part(latency=Histogram()))
        known.add(part)
    return found
