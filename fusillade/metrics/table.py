"""Histograms of many series, a row each, to which a whole delta is added at once."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from fusillade.metrics.histogram import BUCKETS, Histogram
from fusillade.metrics.packed import Unpacked

MOST_ROWS = 4000
"""Distinct series that a test keeps; a row takes 18 kB. Further ones share rows."""
_MOST_SHARED_ROWS = 200
_FIRST_ROWS = 8
COUNT, TOTAL = 0, 1
"""The first two sums of each row."""

Name = TypeVar("Name")


class Table(Generic[Name]):
    """One row a series. Rows are known by their encoded names, and never go."""

    def __init__(
        self,
        decode: Callable[[bytes], Name],
        share: Callable[[Name], bytes],
        other: bytes,
        more_sums: int,
    ) -> None:
        """``share``: when there are MOST_ROWS, the name of the row that takes what has a new name;
        ``other``: the same when there are too many of those. ``more_sums``: columns beside COUNT
        and TOTAL."""
        self._decode = decode
        self._share = share
        self._other = other
        self._known: dict[bytes, int] = {}
        self.names: list[Name] = []
        """By row, in the order in which they were first heard of."""
        self._counts = np.zeros((_FIRST_ROWS, BUCKETS), np.int64)
        self._sums = np.zeros((_FIRST_ROWS, 2 + more_sums))
        self._lowest = np.full(_FIRST_ROWS, np.inf)
        self._highest = np.full(_FIRST_ROWS, -np.inf)

    def rows(self, names: Sequence[bytes]) -> np.ndarray:
        """The row of each name, int64. Raises ``msgspec.MsgspecError`` for what is no name."""
        known = self._known
        try:
            found = [known[name] for name in names]
        except KeyError:
            found = [self._row(name) for name in names]
        return np.array(found, np.int64)

    def add(self, rows: np.ndarray, values: Unpacked, more_sums: np.ndarray) -> None:
        """Add n histograms to their rows (int64, shape (n,)); ``more_sums`` has shape (n, any)."""
        moments = values.moments
        places = np.repeat(rows * BUCKETS, values.lengths) + values.buckets
        np.add.at(self._counts.reshape(-1), places, values.counts)
        np.add.at(self._sums, rows, np.hstack((moments[:, :2], more_sums)))
        np.minimum.at(self._lowest, rows, moments[:, 2])
        np.maximum.at(self._highest, rows, moments[:, 3])

    def sums(self, rows: Sequence[int]) -> np.ndarray:
        """Sums over these rows, in ascending order: COUNT, TOTAL, and the others."""
        return np.asarray(self._sums[_together(rows)].sum(axis=0))

    def histogram(self, rows: Sequence[int]) -> Histogram:
        """Of all values of these rows, in ascending order."""
        if not rows:
            return Histogram()
        sums, these = self.sums(rows), _together(rows)
        return Histogram.of_counts(
            int(sums[COUNT]),
            float(sums[TOTAL]),
            float(self._lowest[these].min()),
            float(self._highest[these].max()),
            self._counts[these].sum(axis=0),
        )

    def _row(self, name: bytes) -> int:
        row = self._known.get(name)
        if row is not None:
            return row
        decoded = self._decode(name)
        if len(self.names) >= MOST_ROWS and name != self._other:
            shared = self._share(decoded)
            if len(self.names) >= MOST_ROWS + _MOST_SHARED_ROWS:
                return self._known.get(shared, self._row(self._other))
            if name != shared:
                return self._row(shared)
        row = self._known[name] = len(self.names)
        self.names.append(decoded)
        if row == len(self._lowest):
            self._grow()
        return row

    def _grow(self) -> None:
        """Twice as many rows."""
        self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        self._sums = np.concatenate((self._sums, np.zeros_like(self._sums)))
        self._lowest = np.concatenate((self._lowest, np.full_like(self._lowest, np.inf)))
        self._highest = np.concatenate((self._highest, np.full_like(self._highest, -np.inf)))


def _together(rows: Sequence[int]) -> slice | list[int]:
    """An index of these rows; one that copies none where they lie side by side."""
    if rows and rows[-1] - rows[0] + 1 == len(rows):
        return slice(rows[0], rows[-1] + 1)
    return list(rows)
