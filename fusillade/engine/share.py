"""The exact split of a test's load over its hosts, of whatever sizes these are.

A load is a row of units: workers, or iterations in the order in which they are due. Each unit
belongs to one host for good, so at every moment, and for every total, the hosts' parts sum to the
whole, and no part ever shrinks while the whole grows. (Parts by rounding, such as
``floor(end * n) - floor(start * n)``, sum to the whole as well but do shrink: what a host has
begun would be counted twice.)

Units are dealt in rounds of ``total``, one for each place from 0 to ``total - 1``, in an order that
scatters neighbouring places over the round: place ``p`` comes at ``p * stride % total``. With a
stride near the golden section of the round that is a Kronecker sequence, the most even there is, so
that a host's part is at any time within a few units of its proportion.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

import msgspec

_STRIDES_TRIED = 20
"""On both sides of the golden section; among those one is as good as the golden section itself."""


class Share(msgspec.Struct, frozen=True, omit_defaults=True):
    """The places from ``start`` up to but not including ``end``, of ``total`` places.

    The default is the whole load. An empty share, with ``start == end``, never has anything to do.
    """

    start: int = 0
    end: int = 1
    total: int = 1

    def of(self, amount: float) -> int:
        """This host's part of the first ``amount`` units."""
        rounds, rest = divmod(math.floor(amount), self.total)
        return rounds * (self.end - self.start) + bisect_left(_turns(self), rest)

    def first(self, amount: int) -> int:
        """What the hosts before this one have together: the offset of this host's workers."""
        return Share(0, self.start, self.total).of(amount)

    def total_for(self, part: int) -> float:
        """The smallest whole amount of which this host's part is at least ``part``; infinity if
        there is none."""
        if part <= 0:
            return 0
        if self.start == self.end:
            return math.inf
        rounds, index = divmod(part - 1, self.end - self.start)
        return rounds * self.total + _turns(self)[index] + 1

    def among(self, workers: int) -> "Share":
        """The share of what ``workers`` workers do: of their iterations, or of a ramp up to them.

        Where there are fewer workers than places, a host without a worker would have iterations
        that nobody does: then it is the workers that are the places.
        """
        if workers >= self.total or workers <= 0:
            return self
        first = self.first(workers)
        return Share(first, first + self.of(workers), workers)


def split(sizes: Sequence[int]) -> list[Share]:
    """A share for each host, in proportion to ``sizes``, of which at least one is positive."""
    unit = math.gcd(*sizes)
    total = sum(sizes) // unit
    shares, start = [], 0
    for size in sizes:
        shares.append(Share(start, start + size // unit, total))
        start += size // unit
    return shares


@lru_cache(maxsize=256)
def _turns(share: Share) -> list[int]:
    """When, within a round, it is the share's turn; ascending."""
    stride = _stride(share.total)
    return sorted(place * stride % share.total for place in range(share.start, share.end))


@lru_cache(maxsize=256)
def _stride(total: int) -> int:
    """Coprime to ``total``, near its golden section, and with small partial quotients: the larger
    they are, the more unevenly its multiples lie in a round."""
    golden = round(total * (math.sqrt(5) - 1) / 2)
    near = range(max(1, golden - _STRIDES_TRIED), golden + _STRIDES_TRIED + 1)
    coprime = [stride for stride in near if math.gcd(stride, total) == 1]
    return min(coprime, key=lambda stride: (_largest_quotient(total, stride), abs(stride - golden)))


def _largest_quotient(numerator: int, denominator: int) -> int:
    """Of the continued fraction."""
    largest = 0
    while denominator:
        largest = max(largest, numerator // denominator)
        numerator, denominator = denominator, numerator % denominator
    return largest
