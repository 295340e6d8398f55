"""One linear ramp."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """Within ``duration_seconds``, go from where the last stage ended to ``target``."""

    duration_seconds: float
    target: float
