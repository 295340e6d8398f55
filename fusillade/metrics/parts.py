"""A run so far in parts, for dashboards: of a region, of a scenario."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from fusillade.metrics.histogram import Histogram
from fusillade.metrics.measured import Measured
from fusillade.metrics.second import Second
from fusillade.metrics.table import COUNT
from fusillade.metrics.tally import FAILED, Tally


@dataclass(slots=True)
class Part:
    """Sums since the start, but for ``active_workers``, which is of one second."""

    latency: Histogram
    """In milliseconds."""
    requests: int = 0
    failed: int = 0
    active_workers: int = 0
    iterations: int = 0
    dropped_iterations: int = 0

    def add(self, other: "Part") -> None:
        """Add another part to this one."""
        self.latency.merge(other.latency)
        self.requests += other.requests
        self.failed += other.failed
        self.active_workers += other.active_workers
        self.iterations += other.iterations
        self.dropped_iterations += other.dropped_iterations


def of_region(total: Tally, active_workers: int) -> Part:
    """``total``: its requests since the start. Iterations are not known by region."""
    return Part(total.histogram(), total.count, total.failed, active_workers)


def by_scenario(measured: Measured, second: Second) -> Iterator[tuple[str, Part]]:
    """Each scenario, in the order in which they were first heard of; ``""`` for what has none."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, tags in enumerate(measured.requests.names):
        rows[tags.get("scenario", "")].append(row)
    counters: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for encoded, amount in measured.counters.items():
        name = measured.names[encoded]
        if name.metric in ("iterations", "dropped_iterations"):
            counters[name.tags.get("scenario", "")][name.metric] += int(amount)
    for scenario in dict.fromkeys([*rows, *counters, *second.active]):
        sums = measured.requests.sums(rows[scenario])
        yield (
            scenario,
            Part(
                latency=measured.requests.histogram(rows[scenario]),
                requests=int(sums[COUNT]),
                failed=int(sums[FAILED]),
                active_workers=second.active[scenario],
                iterations=counters[scenario]["iterations"],
                dropped_iterations=counters[scenario]["dropped_iterations"],
            ),
        )
