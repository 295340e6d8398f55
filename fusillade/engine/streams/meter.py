"""What is measured of connections with the same tags."""

import numpy as np

from fusillade.metrics.recorder import Recorder


class Meter:
    """Numbers since the last flush; metrics begin with the protocol's name (``ws_connecting``)."""

    __slots__ = (
        "_protocol",
        "_tags",
        "bytes_received",
        "bytes_sent",
        "connecting_ms",
        "failed",
        "received",
        "sent",
        "session_ms",
    )

    def __init__(self, protocol: str, tags: dict[str, str]) -> None:
        self._protocol = protocol
        self._tags = tags
        self._clear()

    def _clear(self) -> None:
        self.connecting_ms: list[float] = []
        self.session_ms: list[float] = []
        self.failed: list[float] = []
        """1.0 or 0.0 for each attempt to connect."""
        self.sent = self.received = 0
        self.bytes_sent = self.bytes_received = 0

    def flush(self, recorder: Recorder) -> None:
        """Hand everything over and begin anew."""
        for name, values in (
            ("connecting", self.connecting_ms),
            ("session_duration", self.session_ms),
        ):
            if values:
                recorder.record_values(self._named(name), "histogram", np.array(values), self._tags)
        if self.failed:
            metric = self._named("connect_failed")
            recorder.record_values(metric, "rate", np.array(self.failed), self._tags)
        for metric, amount in (
            (self._named("msgs_sent"), self.sent),
            (self._named("msgs_received"), self.received),
            ("data_sent", self.bytes_sent),
            ("data_received", self.bytes_received),
        ):
            if amount:
                recorder.add(metric, amount, self._tags)
        self._clear()

    def _named(self, metric: str) -> str:
        return f"{self._protocol}_{metric}"
