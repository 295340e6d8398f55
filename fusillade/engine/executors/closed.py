"""What all closed models share: no iteration is ever due by the clock."""

import math


class Closed:
    """Mix-in of executors whose workers loop."""

    is_open = False
    iterations_per_worker: int | None = None
    shared_iterations: int | None = None

    def iterations_due(self, elapsed: float) -> float:
        """Always 0."""
        return 0.0

    def next_due(self, count: float) -> float:
        """Never."""
        return math.inf
