"""What an executor is: a load model as pure functions of elapsed time."""

from typing import Protocol


class Executor(Protocol):
    """A load model. Times are seconds since the scenario's start; no method looks at a clock."""

    @property
    def is_open(self) -> bool:
        """True when iterations start at a rate, whatever the response times; False when a set of
        workers each begins the next iteration when the last one has ended."""

    @property
    def duration_seconds(self) -> float:
        """How long iterations are started."""

    @property
    def max_workers(self) -> int:
        """The most workers it may use at once."""

    @property
    def iterations_per_worker(self) -> int | None:
        """Limit of a closed model; None for no limit."""

    @property
    def shared_iterations(self) -> int | None:
        """Limit of a closed model over all workers; None for no limit."""

    def workers_at(self, elapsed: float) -> int:
        """Workers that should be iterating (closed) or be ready to (open)."""

    def iterations_due(self, elapsed: float) -> float:
        """Iterations that should have started by then; 0 for closed models."""

    def next_due(self, count: float) -> float:
        """When iteration number ``count`` (from 1) should start; infinity for never."""
