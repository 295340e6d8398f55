"""Which failed requests are kept: the first few of each kind, and so many in all."""

from collections import Counter
from math import isfinite

import msgspec

from fusillade.failures.record import FailedRequest

MOST = 100
OF_A_KIND = 5
"""Of the same endpoint that failed for the same reason; mirrored in runtime/failures.js."""
_MOST_BYTES = 64 << 10
_encode = msgspec.msgpack.Encoder().encode


class Sample:
    """At most ``most``, in the order in which they came."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.records: list[FailedRequest] = []
        self._kinds: Counter[tuple[str, str]] = Counter()

    def add(self, record: FailedRequest) -> bool:
        """Keep it, if there is room; whether it was kept."""
        kind = (record.name, record.reason)
        if len(self.records) >= self.most or self._kinds[kind] >= OF_A_KIND:
            return False
        # A host that has gone wrong neither fills the memory nor spoils the result.
        timings = msgspec.structs.astuple(record.timings_ms)
        if len(_encode(record)) > _MOST_BYTES or not all(map(isfinite, timings)):
            return False
        self._kinds[kind] += 1
        self.records.append(record)
        return True


def of_a_host(hosts: float) -> int:
    """How many one of so many hosts may tell of: with many hosts all of them together still have
    enough for each kind."""
    return max(2 * OF_A_KIND, int(MOST / max(1.0, hosts)))
