"""How well a host keeps up: the CPU that its event loop's thread takes, and how late it is."""

import time

from msgspec.structs import replace

from fusillade.metrics.strain import LASTING_SECONDS, Pressure

_SHORTEST_SECONDS = 0.5
"""Of less than this nothing is concluded and what was found before holds, as for seconds that are
told of late, one right after the other."""


class Meter:
    """Told of each beat; asked once a second. Times are the event loop's."""

    def __init__(self, now: float) -> None:
        self._due = now
        self._lags: list[float] = []
        self._begin(now)
        self._strained = 0
        self._last = Pressure()

    def _begin(self, now: float) -> None:
        self._since = now
        self._cpu = time.thread_time()
        self._lags.clear()

    def woken(self, now: float) -> float:
        """A beat has come; how late, in seconds."""
        lag = max(0.0, now - self._due)
        self._lags.append(lag)
        return lag

    def sleeps_until(self, due: float) -> None:
        """When the next beat is due."""
        self._due = due

    @property
    def is_overloaded(self) -> bool:
        """Whether it could not keep up for LASTING_SECONDS until the last time it was asked."""
        return self._strained >= LASTING_SECONDS

    def take(self, now: float, dropped_iterations: int) -> Pressure:
        """Since the last time. To be called from the event loop's thread."""
        passed = now - self._since
        if passed < _SHORTEST_SECONDS:
            return replace(self._last, dropped_iterations=dropped_iterations)
        lags = [*self._lags, now - self._due] if now > self._due else self._lags
        self._last = pressure = Pressure(
            cpu_share=(time.thread_time() - self._cpu) / passed,
            lag_seconds=sum(lags) / len(lags) if lags else 0.0,
            dropped_iterations=dropped_iterations,
        )
        self._strained = self._strained + 1 if pressure.is_too_much else 0
        self._begin(now)
        return pressure
