"""The script host's side of the metrics: takes rows and values, gives one delta a second."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np

from fusillade.metrics.delta import (
    CheckDelta,
    CounterDelta,
    Delta,
    PhaseDelta,
    SeriesDelta,
    Tags,
    ValueDelta,
    encode,
)
from fusillade.metrics.histogram import Histogram
from fusillade.metrics.requests import ERROR_CODES, PHASES, REQUEST_COLUMNS

Kind = Literal["histogram", "counter", "gauge", "rate"]

_COLUMN = {name: index for index, name in enumerate(REQUEST_COLUMNS)}
_BUFFERED_ROWS = 1 << 15
MOST_SERIES = 2000
"""Distinct series a host keeps; requests of further ones are counted under the name ``other``."""


class _Series:
    """Requests with the same tags since the last delta."""

    __slots__ = (
        "duration",
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

    def take(self) -> SeriesDelta:
        delta = SeriesDelta(
            tags=self.tags,
            duration=self.duration.encode(),
            failed=self.failed,
            statuses=dict(self.statuses),
            errors=dict(self.errors),
            bytes_sent=self.sent,
            bytes_received=self.received,
            reused_connections=self.reused,
            new_connections=self.new,
        )
        self.clear()
        return delta


class _Values:
    """Values of one of the author's metrics since the last delta."""

    __slots__ = ("histogram", "kind", "last", "metric", "tags")

    def __init__(self, metric: str, kind: Kind, tags: Tags) -> None:
        self.metric = metric
        self.kind = kind
        self.tags = tags
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
        self._phases: dict[tuple[str, str], Histogram] = {}
        self._checks: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
        self._counters: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._values: dict[tuple[str, str, tuple[tuple[str, str], ...]], _Values] = {}
        self._active_workers: dict[str, int] = {}
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
        key = (metric, kind, _key(tags))
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = _Values(metric, kind, dict(tags))
        found.histogram.record(values)
        found.last = float(values[-1])

    def add(self, metric: str, amount: float, tags: Mapping[str, str] | None = None) -> None:
        """Let a counter grow."""
        key = (metric, _key(tags or {}))
        self._counters[key] = self._counters.get(key, 0) + amount

    def add_check(self, name: str, passes: int, fails: int, tags: Mapping[str, str]) -> None:
        """Count results of a check; group and scenario are among the tags."""
        counts = self._checks.setdefault((name, _key(tags)), [0, 0])
        counts[0] += passes
        counts[1] += fails

    def set_active_workers(self, counts: Mapping[str, int]) -> None:
        """How many workers are in the middle of an iteration now, by scenario."""
        self._active_workers = dict(counts)

    def take_delta(self, number: int, second: int, seconds: float) -> bytes:
        """Everything since the last delta, encoded; then begins anew."""
        self._bin()
        delta = Delta(
            number=number,
            second=second,
            seconds=seconds,
            active_workers=self._active_workers,
            series=[series.take() for series in self._series if series.duration.count],
            phases=[
                PhaseDelta(phase=phase, scenario=scenario, values=histogram.encode())
                for (phase, scenario), histogram in self._phases.items()
            ],
            checks=[
                CheckDelta(name=name, tags=dict(tags), passes=counts[0], fails=counts[1])
                for (name, tags), counts in self._checks.items()
            ],
            counters=[
                CounterDelta(metric=metric, tags=dict(tags), amount=amount)
                for (metric, tags), amount in self._counters.items()
            ],
            values=[
                ValueDelta(
                    metric=values.metric,
                    kind=values.kind,
                    tags=values.tags,
                    values=values.histogram.encode(),
                    last=values.last,
                )
                for values in self._values.values()
            ],
        )
        self._phases.clear()
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
                histogram = self._phases.get((phase, scenario))
                if histogram is None:
                    histogram = self._phases[phase, scenario] = Histogram()
                histogram.record(together[:, _COLUMN[phase]])


def _key(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags.items()))
