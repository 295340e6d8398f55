"""The script host's side of the metrics: takes rows and values, gives one delta a second."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np

from fusillade.failures.record import FailedRequest
from fusillade.failures.sample import Sample, of_a_host
from fusillade.metrics.delta import (
    CheckDelta,
    CounterDelta,
    Delta,
    Requests,
    Tags,
    Values,
    encode,
    encode_name,
    encode_tags,
)
from fusillade.metrics.histogram import Histogram
from fusillade.metrics.packed import pack
from fusillade.metrics.requests import ERROR_CODES, PHASES, REQUEST_COLUMNS
from fusillade.metrics.strain import Pressure

Kind = Literal["histogram", "counter", "gauge", "rate"]

_COLUMN = {name: index for index, name in enumerate(REQUEST_COLUMNS)}
_BUFFERED_ROWS = 1 << 15
MOST_SERIES = 2000
"""Distinct series a host keeps; requests of further ones are counted under the name ``other``."""


class _Series:
    """Requests with the same tags since the last delta."""

    __slots__ = (
        "duration",
        "encoded",
        "errors",
        "failed",
        "new",
        "received",
        "reused",
        "sent",
        "statuses",
        "tags",
    )

    def __init__(self, tags: Tags) -> None:
        self.tags = tags
        self.encoded = encode_tags(tags)
        self.clear()

    def clear(self) -> None:
        self.duration = Histogram()
        self.failed = 0
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.sent = 0
        self.received = 0
        self.reused = 0
        self.new = 0

    def record(self, rows: np.ndarray) -> None:
        self.duration.record(rows[:, _COLUMN["duration"]])
        statuses = rows[:, _COLUMN["status"]]
        self.failed += int(np.count_nonzero((statuses == 0) | (statuses >= 400)))
        for status, count in zip(*np.unique(statuses, return_counts=True), strict=True):
            self.statuses[int(status)] += int(count)
        errors = rows[:, _COLUMN["error"]]
        if errors.any():
            for error, count in zip(*np.unique(errors, return_counts=True), strict=True):
                if error:
                    self.errors[ERROR_CODES[int(error)]] += int(count)
        self.sent += int(rows[:, _COLUMN["bytes_sent"]].sum())
        self.received += int(rows[:, _COLUMN["bytes_received"]].sum())
        connections = rows[:, _COLUMN["reused"]]
        self.reused += int(np.count_nonzero(connections > 0))
        self.new += int(np.count_nonzero(connections == 0))

    def sums(self) -> tuple[int, int, int, int, int]:
        """As ``Requests.sums`` has them."""
        return self.failed, self.sent, self.received, self.reused, self.new


class _Values:
    """Values of one metric since the last delta."""

    __slots__ = ("histogram", "last", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.histogram = Histogram()
        self.last = 0.0


class Recorder:
    """Collects what one host measures. Requests are buffered and binned many at a time."""

    def __init__(self) -> None:
        self._rows = np.empty((_BUFFERED_ROWS, len(REQUEST_COLUMNS)))
        self._buffered = 0
        self._series: list[_Series] = []
        self._positions: dict[int, int] = {}
        self._other: int | None = None
        self._checks: dict[bytes, list[int]] = {}
        self._counters: dict[bytes, float] = {}
        self._values: dict[bytes, _Values] = {}
        self._active_workers: dict[str, int] = {}
        self._pressure = Pressure()
        self._failures = Sample()
        self._told_failures = 0
        self.requests = 0
        """How many have been recorded in all."""

    def define_series(self, number: int, tags: Mapping[str, str]) -> None:
        """Tell the tags of the requests whose ``series`` column is ``number``."""
        if len(self._series) < MOST_SERIES:
            self._positions[number] = len(self._series)
            self._series.append(_Series(dict(tags)))
            return
        if self._other is None:
            self._other = len(self._series)
            self._series.append(_Series({"name": "other"}))
        self._positions[number] = self._other

    def record_requests(self, rows: np.ndarray) -> None:
        """Take finished requests: float64, shape (n, 13), columns as in REQUEST_COLUMNS."""
        self.requests += len(rows)
        taken = 0
        while taken < len(rows):
            room = _BUFFERED_ROWS - self._buffered
            part = rows[taken : taken + room]
            self._rows[self._buffered : self._buffered + len(part)] = part
            self._buffered += len(part)
            taken += len(part)
            if self._buffered == _BUFFERED_ROWS:
                self._bin()

    def record_values(
        self, metric: str, kind: Kind, values: np.ndarray, tags: Mapping[str, str]
    ) -> None:
        """Values of a metric other than a request's; for a rate, 1 or 0 each."""
        if kind == "counter":
            self.add(metric, float(values.sum()), tags)
            return
        found = self._find(metric, kind, tags)
        found.histogram.record(values)
        found.last = float(values[-1])

    def add(self, metric: str, amount: float, tags: Mapping[str, str] | None = None) -> None:
        """Let a counter grow."""
        name = encode_name(metric, "counter", tags or {})
        self._counters[name] = self._counters.get(name, 0) + amount

    def add_check(self, name: str, passes: int, fails: int, tags: Mapping[str, str]) -> None:
        """Count results of a check; group and scenario are among the tags."""
        counts = self._checks.setdefault(encode_name(name, "check", tags), [0, 0])
        counts[0] += passes
        counts[1] += fails

    def tags_of(self, number: int) -> Tags:
        """Those of a series, as :meth:`define_series` has them."""
        return self._series[self._positions[number]].tags

    def add_failure(self, record: FailedRequest) -> None:
        """A failed request for the sample, if there is room."""
        self._failures.add(record)

    def share_sample(self, hosts: float) -> None:
        """So many hosts run the test: this one's part of the sample is the smaller."""
        self._failures.most = of_a_host(hosts)

    def set_active_workers(self, counts: Mapping[str, int]) -> None:
        """How many workers are in the middle of an iteration now, by scenario."""
        self._active_workers = dict(counts)

    def set_pressure(self, pressure: Pressure) -> None:
        """How the host kept up since the last delta."""
        self._pressure = pressure

    def take_delta(self, number: int, second: int, seconds: float) -> bytes:
        """Everything since the last delta, encoded; then begins anew."""
        self._bin()
        series = [series for series in self._series if series.duration.count]
        values = [one for one in self._values.values() if one.histogram.count]
        delta = Delta(
            number=number,
            second=second,
            seconds=seconds,
            active_workers=self._active_workers,
            requests=Requests(
                tags=[one.encoded for one in series],
                duration=pack([one.duration for one in series]),
                sums=np.array([one.sums() for one in series], "<f8").tobytes(),
                statuses=[
                    (position, status, count)
                    for position, one in enumerate(series)
                    for status, count in one.statuses.items()
                ],
                errors=[
                    (position, error, count)
                    for position, one in enumerate(series)
                    for error, count in one.errors.items()
                ],
            ),
            values=Values(
                names=[one.name for one in values],
                values=pack([one.histogram for one in values]),
                last=[one.last for one in values],
            ),
            checks=[
                CheckDelta(name=name, passes=counts[0], fails=counts[1])
                for name, counts in self._checks.items()
            ],
            counters=[
                CounterDelta(name=name, amount=amount) for name, amount in self._counters.items()
            ],
            pressure=self._pressure,
            failures=self._failures.records[self._told_failures :],
        )
        self._told_failures = len(self._failures.records)
        for one in series:
            one.clear()
        self._checks.clear()
        self._counters.clear()
        self._values.clear()
        return encode(delta)

    def _bin(self) -> None:
        """Sort the buffered rows into their histograms."""
        if not self._buffered:
            return
        rows = self._rows[: self._buffered]
        self._buffered = 0
        numbers = rows[:, _COLUMN["series"]].astype(np.int64)
        order = np.argsort(numbers, kind="stable")
        rows = rows[order]
        present, starts = np.unique(numbers[order], return_index=True)
        by_scenario: dict[str, list[np.ndarray]] = {}
        for number, part in zip(present.tolist(), np.split(rows, starts[1:]), strict=True):
            series = self._series[self._positions[number]]
            series.record(part)
            by_scenario.setdefault(series.tags.get("scenario", ""), []).append(part)
        for scenario, parts in by_scenario.items():
            together = parts[0] if len(parts) == 1 else np.concatenate(parts)
            for phase in PHASES:
                values = self._find(phase, "phase", {"scenario": scenario})
                values.histogram.record(together[:, _COLUMN[phase]])

    def _find(self, metric: str, kind: str, tags: Mapping[str, str]) -> _Values:
        name = encode_name(metric, kind, tags)
        found = self._values.get(name)
        if found is None:
            found = self._values[name] = _Values(name)
        return found
