"""Many histograms in a few arrays: small on the wire, and added up without a loop.

Arrays are little-endian. Only buckets that hold something are told of, so the size depends on the
spread of the values and not on their number: steps and counts have as many bytes each as the
largest needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from fusillade.metrics.histogram import BUCKETS, Histogram

_WHOLE: dict[int, np.dtype[Any]] = {
    1: np.dtype("u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}
_NUMBER = np.dtype("<f8")


class Packed(msgspec.Struct, array_like=True, frozen=True):
    """n histograms, none of them empty."""

    moments: bytes
    """float64, shape (n, 4): count, sum, lowest and highest value."""
    firsts: bytes
    """uint16, shape (n,): the first bucket of each."""
    lengths: bytes
    """uint16, shape (n,): how many buckets each has."""
    steps: bytes
    """From one bucket to the next of the same histogram, 0 at the first; all n in a row."""
    counts: bytes
    """Of each bucket; all n in a row."""
    step_width: int
    count_width: int
    """Bytes of one of them: 1, 2, 4 or 8."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """n histograms with m buckets in all."""

    moments: np.ndarray
    """float64, shape (n, 4): count, sum, lowest and highest value."""
    lengths: np.ndarray
    """int64, shape (n,): how many buckets each has."""
    buckets: np.ndarray
    """int64, shape (m,)."""
    counts: np.ndarray
    """int64, shape (m,)."""


def pack(histograms: Sequence[Histogram]) -> Packed:
    """For the wire; the histograms must have values."""
    buckets: list[int] = []
    counts: list[int] = []
    lengths = []
    for histogram in histograms:
        mine = sorted(histogram.counts)
        lengths.append(len(mine))
        buckets += mine
        counts += map(histogram.counts.__getitem__, mine)
    places = np.array(buckets, np.int64)
    sizes = np.array(lengths, np.int64)
    starts = sizes.cumsum() - sizes
    steps = np.diff(places, prepend=0)
    steps[starts] = 0
    step_width, count_width = _width(steps), _width(np.array(counts, np.int64))
    moments = [(one.count, one.total, one.lowest, one.highest) for one in histograms]
    return Packed(
        moments=np.array(moments, _NUMBER).tobytes(),
        firsts=places[starts].astype(_WHOLE[2]).tobytes(),
        lengths=sizes.astype(_WHOLE[2]).tobytes(),
        steps=steps.astype(_WHOLE[step_width]).tobytes(),
        counts=np.array(counts, _WHOLE[count_width]).tobytes(),
        step_width=step_width,
        count_width=count_width,
    )


def unpack(packed: Packed) -> Unpacked:
    """The reverse of :func:`pack`. Raises ``msgspec.ValidationError`` for what it cannot have
    made."""
    try:
        moments = np.frombuffer(packed.moments, _NUMBER).reshape(-1, 4)
        firsts = np.frombuffer(packed.firsts, _WHOLE[2]).astype(np.int64)
        lengths = np.frombuffer(packed.lengths, _WHOLE[2]).astype(np.int64)
        steps = np.frombuffer(packed.steps, _WHOLE[packed.step_width])
        counts = np.frombuffer(packed.counts, _WHOLE[packed.count_width]).astype(np.int64)
    except (KeyError, ValueError) as error:
        raise msgspec.ValidationError(f"histograms of a wrong size: {error}") from error
    if not len(moments) == len(firsts) == len(lengths):
        raise msgspec.ValidationError("histograms of different numbers")
    ends = lengths.cumsum()
    if len(ends) == 0:
        return Unpacked(moments, lengths, firsts, firsts)
    if not (len(steps) == len(counts) == ends[-1]) or lengths.min() < 1:
        raise msgspec.ValidationError("histograms whose buckets are not all there")
    walked = steps.cumsum(dtype=np.int64)
    buckets = walked + np.repeat(firsts - walked[ends - lengths], lengths)
    if buckets.max() >= BUCKETS:
        raise msgspec.ValidationError("histograms with buckets that there are not")
    return Unpacked(moments, lengths, buckets, counts)


def _width(values: np.ndarray) -> int:
    """Bytes that hold each of these non-negative numbers."""
    highest = int(values.max()) if len(values) else 0
    return next(width for width in _WHOLE if highest < 1 << 8 * width)
