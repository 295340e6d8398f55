"""The load model's clock: the run's time without its pauses."""

_NEVER = float("inf")


class ModelClock:
    """Times are those of the event loop.

    A pause and its end have a moment that all hosts of a test share, and each of them comes with
    the sum of all pauses until then. So it does not matter how late it is heard of, whether it is
    heard of twice, or whether one before it was missed.
    """

    def __init__(self, start: float) -> None:
        self._start = start
        self._paused_seconds = 0.0
        self._from = _NEVER
        self._until = _NEVER

    @property
    def start(self) -> float:
        """When the load model would have started had there been no pause."""
        return self._start + self._paused_seconds

    def pause(self, at: float, paused_seconds: float, now: float) -> None:
        """Stand still from ``at`` on, after pauses of ``paused_seconds`` in all."""
        if not self.is_paused(now):
            self._from = at
        self._until = _NEVER
        self._paused_seconds = paused_seconds

    def resume(self, at: float, paused_seconds: float) -> None:
        """Go on at ``at``, by when there have been pauses of ``paused_seconds`` in all."""
        self._until = at
        self._paused_seconds = paused_seconds

    def is_paused(self, now: float) -> bool:
        """Whether it stands still."""
        return self._from <= now < self._until

    def standing(self, now: float) -> float:
        """``now``; in a pause, the moment at which it has stood still."""
        return self._from if self.is_paused(now) else now

    def next_change(self, now: float) -> float:
        """When it will next stop or go on; infinity if that is not known."""
        return min((at for at in (self._from, self._until) if at > now), default=_NEVER)
