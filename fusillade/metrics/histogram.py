"""Histograms with a bounded relative error, as in DDSketch.

Bucket ``i`` holds the values v with gamma**(i-1) < v / LOWEST <= gamma**i, where
gamma = (1 + a) / (1 - a) and a is the relative error; a value in it is reported as
2 * gamma**i / (gamma + 1) * LOWEST, which is within a of every value of the bucket.
Source: C. Masson, J. E. Rim, H. K. Lee: DDSketch, a fast and fully-mergeable quantile sketch with
relative-error guarantees, VLDB 2019, section 2.
"""

import math
from collections.abc import Iterable
from typing import Self

import numpy as np

RELATIVE_ERROR = 0.005
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(GAMMA)

LOWEST = 0.001
"""Values up to this (1 microsecond in milliseconds) share bucket 0."""

HIGHEST = 3_600_000.0
"""Values from this (one hour in milliseconds) on share the last bucket; ``max`` stays exact."""

BUCKETS = math.ceil(math.log(HIGHEST / LOWEST) / _LOG_GAMMA) + 1


def buckets_of(values: np.ndarray) -> np.ndarray:
    """Bucket numbers (int64, same shape) of non-negative values."""
    scaled = np.maximum(values, LOWEST) / LOWEST
    buckets = np.ceil(np.log(scaled) / _LOG_GAMMA - 1e-9).astype(np.int64)
    return np.minimum(buckets, BUCKETS - 1)


def value_of(bucket: int) -> float:
    """The value that stands for all values of a bucket."""
    if bucket == 0:
        return LOWEST
    return float(2 * GAMMA**bucket / (GAMMA + 1) * LOWEST)


class Histogram:
    """Counts by bucket, with exact count, sum, minimum and maximum."""

    __slots__ = ("count", "counts", "highest", "lowest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.lowest = math.inf
        self.highest = -math.inf
        self.counts: dict[int, int] = {}

    @classmethod
    def of(cls, values: Iterable[float] | np.ndarray) -> Self:
        """A histogram of these values."""
        histogram = cls()
        histogram.record(np.asarray(values, dtype=np.float64))
        return histogram

    @classmethod
    def of_counts(
        cls, count: int, total: float, lowest: float, highest: float, by_bucket: np.ndarray
    ) -> Self:
        """From integers of shape (BUCKETS,): how many values are in each bucket."""
        histogram = cls()
        buckets = np.flatnonzero(by_bucket)
        histogram.add(count, total, lowest, highest, buckets.tolist(), by_bucket[buckets].tolist())
        return histogram

    def record(self, values: np.ndarray) -> None:
        """Add values; negative ones count as 0."""
        if len(values) == 0:
            return
        values = np.maximum(values, 0.0)
        by_bucket = np.bincount(buckets_of(values))
        buckets = np.flatnonzero(by_bucket)
        self.add(
            len(values),
            float(values.sum()),
            float(values.min()),
            float(values.max()),
            buckets.tolist(),
            by_bucket[buckets].tolist(),
        )

    def add(
        self,
        count: int,
        total: float,
        lowest: float,
        highest: float,
        buckets: Iterable[int],
        counts: Iterable[int],
    ) -> None:
        """Add values that have been counted already."""
        self.count += count
        self.total += total
        self.lowest = min(self.lowest, lowest)
        self.highest = max(self.highest, highest)
        mine = self.counts
        for bucket, number in zip(buckets, counts, strict=True):
            mine[bucket] = mine.get(bucket, 0) + number

    def merge(self, other: "Histogram") -> None:
        """Add all values of another histogram."""
        if other.count:
            self.add(
                other.count,
                other.total,
                other.lowest,
                other.highest,
                other.counts.keys(),
                other.counts.values(),
            )

    def since(self, earlier: Self) -> Self:
        """The values that have come since this was what ``earlier`` is; its minimum and maximum
        are those of all values."""
        later = type(self)()
        differences = {
            bucket: number - earlier.counts.get(bucket, 0) for bucket, number in self.counts.items()
        }
        later.counts = {bucket: number for bucket, number in differences.items() if number > 0}
        later.count = sum(later.counts.values())
        later.total = self.total - earlier.total
        later.lowest, later.highest = self.lowest, self.highest
        return later

    @property
    def average(self) -> float:
        """Exact mean; 0 for an empty histogram."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, q: float) -> float:
        """The value at rank ceil(q * count), within RELATIVE_ERROR; 0 for an empty histogram.

        ``q`` is between 0 and 1; 0 and 1 give the exact minimum and maximum.
        """
        return self.quantiles([q])[0]

    def quantiles(self, qs: list[float]) -> list[float]:
        """Several quantiles in one pass over the buckets; ``qs`` in any order."""
        if self.count == 0:
            return [0.0] * len(qs)
        ranks = sorted((max(1, math.ceil(q * self.count)), index) for index, q in enumerate(qs))
        result = [self.highest] * len(qs)
        seen = 0
        position = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            while position < len(ranks) and ranks[position][0] <= seen:
                value = min(max(value_of(bucket), self.lowest), self.highest)
                result[ranks[position][1]] = value
                position += 1
            if position == len(ranks):
                break
        for index, q in enumerate(qs):
            if q <= 0:
                result[index] = self.lowest
            elif q >= 1:
                result[index] = self.highest
        return result
