"""What all open models share: iterations start by the clock, whatever the response times."""

import math


class OpenModel:
    """Mix-in of executors that start iterations at a rate.

    Iteration number n (from 1) is due when the rate, integrated from the start, has reached
    n - 1: the first at once. No iteration is due at or after the end.
    """

    is_open = True
    iterations_per_worker: int | None = None
    shared_iterations: int | None = None
    max_workers: int
    duration_seconds: float

    def workers_at(self, elapsed: float) -> int:
        """All of them stand by until the end."""
        return self.max_workers if 0 <= elapsed < self.duration_seconds else 0

    def iterations_due(self, elapsed: float) -> float:
        """How many should have started by then, not more than there are in all."""
        if elapsed < 0:
            return 0.0
        whole = self.integral(self.duration_seconds)
        return min(self.integral(min(elapsed, self.duration_seconds)) + 1, _rounded(whole))

    def next_due(self, count: float) -> float:
        """When iteration number ``count`` is due; infinity for one that is not part of it."""
        if count > _rounded(self.integral(self.duration_seconds)):
            return math.inf
        return self.moment_of(count - 1)

    def integral(self, elapsed: float) -> float:
        """The rate integrated from the start to ``elapsed`` seconds."""
        raise NotImplementedError

    def moment_of(self, amount: float) -> float:
        """The reverse of ``integral``: when it first reaches ``amount``."""
        raise NotImplementedError


def _rounded(amount: float) -> float:
    """30 s at 0.1/s are 3 iterations, although 30 * 0.1 is a little more than 3."""
    return math.ceil(amount - 1e-6)
