"""``ramping-arrival-rate``: the rate of iterations follows linear ramps."""

import math
from dataclasses import dataclass

from fusillade.engine.executors.open_model import OpenModel
from fusillade.engine.executors.stage import Stage


@dataclass(frozen=True)
class RampingArrivalRate(OpenModel):
    """From ``start_rate`` (iterations a second) through ``stages``, on at most ``max_workers``."""

    start_rate: float
    stages: tuple[Stage, ...]
    max_workers: int

    @property
    def duration_seconds(self) -> float:  # type: ignore[override]
        """The stages' durations together."""
        return sum(stage.duration_seconds for stage in self.stages)

    def integral(self, elapsed: float) -> float:
        """Sum of trapezoids."""
        total, rate = 0.0, self.start_rate
        for stage in self.stages:
            length = min(elapsed, stage.duration_seconds)
            if length > 0:
                reached = rate + (stage.target - rate) * (length / stage.duration_seconds)
                total += (rate + reached) / 2 * length
            elapsed -= stage.duration_seconds
            rate = stage.target
            if elapsed <= 0:
                break
        return total

    def moment_of(self, amount: float) -> float:
        """In the stage in which it is reached: t of rate * t + slope * t**2 / 2 = the rest."""
        begin, rate, left = 0.0, self.start_rate, amount
        for stage in self.stages:
            length = stage.duration_seconds
            whole = (rate + stage.target) / 2 * length
            if left <= whole:
                if length == 0:
                    return begin
                slope = (stage.target - rate) / length
                root = math.sqrt(max(0.0, rate * rate + 2 * slope * left))
                # The form that does not cancel: 2c / (b + sqrt(b**2 + ...)).
                return begin + (2 * left / (rate + root) if rate + root > 0 else 0.0)
            left -= whole
            begin += length
            rate = stage.target
        return math.inf
