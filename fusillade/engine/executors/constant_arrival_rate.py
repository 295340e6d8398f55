"""``constant-arrival-rate``: so many iterations a second, whatever the response times."""

import math
from dataclasses import dataclass

from fusillade.engine.executors.open_model import OpenModel


@dataclass(frozen=True)
class ConstantArrivalRate(OpenModel):
    """``rate`` iterations a second for ``duration_seconds``, on at most ``max_workers``."""

    rate: float
    duration_seconds: float
    max_workers: int

    def integral(self, elapsed: float) -> float:
        return self.rate * elapsed

    def moment_of(self, amount: float) -> float:
        return amount / self.rate if self.rate > 0 else math.inf
