"""``per-worker-iterations``: each worker does a number of iterations."""

from dataclasses import dataclass, field

from fusillade.engine.executors.closed import Closed


@dataclass(frozen=True)
class PerWorkerIterations(Closed):
    """Ends when all workers have done ``iterations_per_worker``, at the latest after
    ``duration_seconds``."""

    max_workers: int
    iterations_per_worker: int | None = field()  # not the default that Closed has
    duration_seconds: float

    def workers_at(self, elapsed: float) -> int:
        """All of them; each stops by itself."""
        return self.max_workers if 0 <= elapsed < self.duration_seconds else 0
