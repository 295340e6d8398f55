"""``shared-iterations``: all workers together do a number of iterations."""

from dataclasses import dataclass, field

from fusillade.engine.executors.closed import Closed


@dataclass(frozen=True)
class SharedIterations(Closed):
    """Ends when ``shared_iterations`` are done, at the latest after ``duration_seconds``."""

    max_workers: int
    shared_iterations: int | None = field()  # not the default that Closed has
    duration_seconds: float

    def workers_at(self, elapsed: float) -> int:
        """All of them; whoever is free takes the next iteration."""
        return self.max_workers if 0 <= elapsed < self.duration_seconds else 0
