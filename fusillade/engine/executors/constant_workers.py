"""``constant-workers``: the same number of workers from start to end."""

from dataclasses import dataclass

from fusillade.engine.executors.closed import Closed


@dataclass(frozen=True)
class ConstantWorkers(Closed):
    """``max_workers`` workers loop for ``duration_seconds``."""

    max_workers: int
    duration_seconds: float

    def workers_at(self, elapsed: float) -> int:
        """All of them until the end."""
        return self.max_workers if 0 <= elapsed < self.duration_seconds else 0
