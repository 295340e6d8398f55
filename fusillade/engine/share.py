"""The exact split of a test's load over its hosts."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """Host ``index`` of ``count`` hosts.

    Of a total x, host i gets floor((i+1)*x/n) - floor(i*x/n): the shares of all hosts sum to
    floor(x) for any x at any time, and differ by at most one.
    """

    index: int
    count: int

    def of(self, total: float) -> int:
        """This host's part of ``total``."""
        return self._up_to(self.index + 1, total) - self._up_to(self.index, total)

    def first(self, total: float) -> int:
        """What the hosts before this one have together: the offset of this host's workers."""
        return self._up_to(self.index, total)

    def total_for(self, amount: int) -> int:
        """The smallest whole total of which this host's part is at least ``amount``."""
        total = max(0, (amount - 1) * self.count)
        while self.of(total) < amount:
            total += 1
        return total

    def _up_to(self, hosts: int, total: float) -> int:
        whole = math.floor(total)
        return hosts * whole // self.count
