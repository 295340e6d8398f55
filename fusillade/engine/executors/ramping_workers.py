"""``ramping-workers``: the number of workers follows linear ramps."""

import math
from dataclasses import dataclass

from fusillade.engine.executors.closed import Closed
from fusillade.engine.executors.stage import Stage


@dataclass(frozen=True)
class RampingWorkers(Closed):
    """From ``start_workers`` through ``stages``; in between the number is rounded to the nearest
    whole, halves up."""

    start_workers: int
    stages: tuple[Stage, ...]

    @property
    def duration_seconds(self) -> float:
        """The stages' durations together."""
        return sum(stage.duration_seconds for stage in self.stages)

    @property
    def max_workers(self) -> int:
        """The highest target."""
        return max(self.start_workers, *(int(stage.target) for stage in self.stages))

    def workers_at(self, elapsed: float) -> int:
        """Linear interpolation; a stage of no duration is a jump."""
        if elapsed < 0:
            return 0
        before: float = self.start_workers
        for stage in self.stages:
            if elapsed < stage.duration_seconds:
                part = elapsed / stage.duration_seconds
                return math.floor(before + (stage.target - before) * part + 0.5)
            elapsed -= stage.duration_seconds
            before = stage.target
        return 0
