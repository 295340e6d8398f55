"""Totals of some of the requests: of a second, of the whole test."""

from collections.abc import Sequence

import numpy as np

from fusillade.metrics.histogram import BUCKETS, Histogram
from fusillade.metrics.packed import Unpacked

COUNT, TOTAL, FAILED, SENT, RECEIVED, REUSED, NEW = range(7)
"""Sums: requests, milliseconds, failed requests, bytes, bytes, and requests by connection."""


class Tally:
    """Sums and a histogram. Settled, it takes sums on but keeps no histogram."""

    __slots__ = ("_by_bucket", "_quantiles", "highest", "lowest", "sums")

    def __init__(self) -> None:
        self.sums = np.zeros(7)
        self.lowest = np.inf
        self.highest = -np.inf
        self._by_bucket: np.ndarray | None = np.zeros(BUCKETS, np.int64)
        self._quantiles: dict[float, float] = {}

    def add(self, durations: Unpacked, sums: np.ndarray) -> None:
        """Add requests: their durations, and their sums (float64, shape (7,))."""
        self.sums += sums
        if len(durations.moments):
            self.lowest = min(self.lowest, float(durations.moments[:, 2].min()))
            self.highest = max(self.highest, float(durations.moments[:, 3].max()))
            if self._by_bucket is not None:
                np.add.at(self._by_bucket, durations.buckets, durations.counts)

    def add_traffic(self, column: int, amount: int) -> None:
        """Bytes that belong to no request; ``column`` is SENT or RECEIVED."""
        self.sums[column] += amount

    def settle(self, qs: Sequence[float]) -> None:
        """Keep these quantiles and give up the histogram."""
        if self._by_bucket is not None:
            self._quantiles = dict(zip(qs, self.quantiles(qs), strict=True))
            self._by_bucket = None

    def quantiles(self, qs: Sequence[float]) -> list[float]:
        """As ``Histogram.quantiles``; of a settled tally those that were kept."""
        if self._by_bucket is None:
            return [self._quantiles[q] for q in qs]
        return self.histogram().quantiles(list(qs))

    def histogram(self) -> Histogram:
        """Of all durations; not of a settled tally."""
        assert self._by_bucket is not None, "the tally has been settled"
        return Histogram.of_counts(
            self.count, float(self.sums[TOTAL]), self.lowest, self.highest, self._by_bucket
        )

    @property
    def count(self) -> int:
        return int(self.sums[COUNT])

    @property
    def failed(self) -> int:
        return int(self.sums[FAILED])

    @property
    def sent(self) -> int:
        return int(self.sums[SENT])

    @property
    def received(self) -> int:
        return int(self.sums[RECEIVED])

    @property
    def average(self) -> float:
        """Milliseconds; 0 without requests."""
        return float(self.sums[TOTAL] / self.sums[COUNT]) if self.sums[COUNT] else 0.0

    @property
    def error_rate(self) -> float:
        return float(self.sums[FAILED] / self.sums[COUNT]) if self.sums[COUNT] else 0.0
