"""What a test has measured, by series, metric, check and counter: the sum of all deltas."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from fusillade.metrics import delta as wire
from fusillade.metrics.delta import Delta, Name, Requests, Tags, Values
from fusillade.metrics.packed import Unpacked, unpack
from fusillade.metrics.second import Second
from fusillade.metrics.table import MOST_ROWS, Table
from fusillade.metrics.tally import RECEIVED, SENT, Tally

TRAFFIC = {"data_sent": SENT, "data_received": RECEIVED}
"""Counters of bytes that belong to no request, and the sums of a Tally that they count for."""
_OTHER_REQUESTS = wire.encode_tags({"name": "other"})
_OTHER_VALUES = wire.encode_name("other", "histogram", {})
_SUMS = np.dtype("<f8")


class Measured:
    """Everything that is summed over the whole of a test."""

    def __init__(self) -> None:
        self.requests: Table[Tags] = Table(
            wire.decode_tags, _other_requests, _OTHER_REQUESTS, more_sums=5
        )
        """A row for all requests that share their tags; the sums are those of a Tally."""
        self.statuses: Counter[tuple[int, int]] = Counter()
        """By row of ``requests`` and status."""
        self.errors: Counter[str] = Counter()
        self.values: Table[Name] = Table(wire.decode_name, _without_tags, _OTHER_VALUES, 0)
        self.last: dict[int, tuple[int, float]] = {}
        """By row of ``values``: the second of the newest value, and the value."""
        self.checks: dict[bytes, list[int]] = defaultdict(_no_results)
        """By encoded name: passes and fails."""
        self.counters: dict[bytes, float] = defaultdict(float)
        """By encoded name."""
        self.names: dict[bytes, Name] = {}
        """Of checks and counters, decoded."""
        self.whole = Tally()
        """All requests, and the traffic of what is none."""

    def add(self, delta: Delta, second: Second, also: Sequence[Tally] = ()) -> None:
        """Add a delta of this second; its requests are added to the tallies in ``also`` as well.

        Raises ``msgspec.MsgspecError`` when it is not what ``Recorder`` makes.
        """
        tallies = (self.whole, second.requests, *also)
        durations, sums = self._add_requests(delta.requests)
        for tally in tallies:
            tally.add(durations, sums)
        self._add_values(delta.second, delta.values)
        for check in delta.checks:
            counts = self.checks[self._known(check.name)]
            counts[0] += check.passes
            counts[1] += check.fails
            second.passes += check.passes
            second.fails += check.fails
        for counter in delta.counters:
            name = self._known(counter.name)
            self.counters[name] += counter.amount
            metric = self.names[name].metric
            if metric == "iterations":
                second.iterations += int(counter.amount)
            elif metric in TRAFFIC:
                for tally in tallies:
                    tally.add_traffic(TRAFFIC[metric], int(counter.amount))

    def iterations(self, delta: Delta) -> Counter[str]:
        """Those that a delta that was added tells of, by scenario."""
        ended: Counter[str] = Counter()
        for counter in delta.counters:
            name = self.names[self._known(counter.name)]
            if name.metric == "iterations":
                ended[name.tags.get("scenario", "")] += int(counter.amount)
        return ended

    def amounts(self) -> dict[str, float]:
        """The counters by metric, without those of TRAFFIC."""
        found: dict[str, float] = defaultdict(float)
        for name, amount in self.counters.items():
            metric = self.names[name].metric
            if metric not in TRAFFIC:
                found[metric] += amount
        return found

    def all_checks(self) -> list[tuple[Name, int, int]]:
        """Each check with its passes and fails."""
        return [(self.names[name], passes, fails) for name, (passes, fails) in self.checks.items()]

    def _add_requests(self, requests: Requests) -> tuple[Unpacked, np.ndarray]:
        """The durations, and the sums over all series as a Tally has them."""
        durations = unpack(requests.duration)
        count = len(requests.tags)
        sums = np.frombuffer(requests.sums, _SUMS)
        if sums.size != 5 * count or len(durations.lengths) != count:
            raise msgspec.ValidationError("series without names")
        sums = sums.reshape(count, 5)
        rows = self.requests.rows(requests.tags)
        self.requests.add(rows, durations, sums)
        numbers, statuses = rows.tolist(), self.statuses
        try:
            for position, status, times in requests.statuses:
                statuses[numbers[position], status] += times
        except IndexError as error:
            raise msgspec.ValidationError("statuses of series that there are not") from error
        for _, code, times in requests.errors:
            self.errors[code] += times
        return durations, np.concatenate((durations.moments[:, :2].sum(axis=0), sums.sum(axis=0)))

    def _add_values(self, second: int, values: Values) -> None:
        unpacked = unpack(values.values)
        count = len(values.names)
        if not count == len(unpacked.lengths) == len(values.last):
            raise msgspec.ValidationError("values without names")
        rows = self.values.rows(values.names)
        self.values.add(rows, unpacked, np.empty((count, 0)))
        for row, last in zip(rows.tolist(), values.last, strict=True):
            if second >= self.last.get(row, (-1, 0.0))[0]:
                self.last[row] = (second, last)

    def _known(self, encoded: bytes) -> bytes:
        """The name of a check or a counter that this one counts for."""
        if encoded not in self.names:
            name = wire.decode_name(encoded)
            if len(self.names) >= MOST_ROWS and name.tags:
                return self._known(_without_tags(name))
            self.names[encoded] = name
        return encoded


def _other_requests(tags: Tags) -> bytes:
    return _OTHER_REQUESTS


def _no_results() -> list[int]:
    return [0, 0]


def _without_tags(name: Name) -> bytes:
    return wire.encode_name(name.metric, name.kind, {})
