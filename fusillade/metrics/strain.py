"""Hosts that could not keep up: then the generator was a limit, and not the target alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

BUSY_SHARE = 0.9
"""Of one core, over a second. In a queue with equal service times, what is ready waits for
u / (2 (1 - u)) services of the others at a load of u: for 4.5 at this one, for 9.5 at 0.95
(M/D/1)."""

LATE_SECONDS = 0.1
"""How late the event loop was, on average over a second: so much later than it came was a response
read, and so much too long is its latency."""

LASTING_SECONDS = 3
"""In a row. The start of a run (connections, compilation) or other programs' short work does not
take that long."""

DROPPED_SHARE = 0.01
"""Of all iterations that an arrival rate asked for: below, the rate was as good as reached."""

_MOST_NAMED = 5
_MOST_SECONDS = 1 << 20
"""Seconds of a run that are looked at, twelve days."""


class Pressure(msgspec.Struct, array_like=True, frozen=True):
    """On one host in one second."""

    cpu_share: float = 0.0
    """Of one core, by the thread of the event loop."""
    lag_seconds: float = 0.0
    """How late the event loop was, on average."""
    dropped_iterations: int = 0
    """That were due, when no worker was free."""

    @property
    def is_too_much(self) -> bool:
        """Whether the host could not keep up."""
        return self.cpu_share >= BUSY_SHARE or self.lag_seconds >= LATE_SECONDS


class Strain:
    """Of all hosts, over the whole of a run."""

    def __init__(self) -> None:
        # A bit a second: the order in which seconds are told of does not matter.
        self._overloaded: dict[int, int] = defaultdict(int)
        self._dropping: dict[int, int] = defaultdict(int)
        self._dropped: Counter[int] = Counter()
        self._cpu_share: dict[int, float] = defaultdict(float)
        self._lag_seconds: dict[int, float] = defaultdict(float)

    def add(self, source: int, second: int, pressure: Pressure) -> None:
        """What host ``source`` tells of a second."""
        if not 0 <= second < _MOST_SECONDS:
            return
        if pressure.is_too_much:
            self._overloaded[source] |= 1 << second
            self._cpu_share[source] = max(self._cpu_share[source], pressure.cpu_share)
            self._lag_seconds[source] = max(self._lag_seconds[source], pressure.lag_seconds)
        if pressure.dropped_iterations > 0:
            self._dropping[source] |= 1 << second
            self._dropped[source] += pressure.dropped_iterations

    def saturated(self, hosts: int, second: int, seconds: int) -> int:
        """How many shares could not keep up for LASTING_SECONDS in a row, of which at least one is
        among the ``seconds`` up to this ``second``."""
        masks = _by_share(self._overloaded, hosts)
        since = max(0, second + 1 - seconds)
        return sum(1 for mask in masks.values() if _lasting(mask) >> since)

    def warnings(self, called: str, hosts: int, iterations: int) -> list[str]:
        """In sentences. The share that ``source`` runs is its remainder by ``hosts``; ``called`` is
        what people call a host; ``iterations`` were begun in all."""
        return [
            *self._of_overload(called, hosts),
            *self._of_dropped(called, hosts, iterations),
        ]

    def _of_overload(self, called: str, hosts: int) -> list[str]:
        masks = _by_share(self._overloaded, hosts)
        lasting = {share: _lasting(mask).bit_count() for share, mask in masks.items()}
        lasting = {share: seconds for share, seconds in lasting.items() if seconds}
        if not lasting:
            return []
        sources = [source for source in self._overloaded if source % hosts in lasting]
        cpu_share = max(self._cpu_share[source] for source in sources)
        lag_seconds = max(self._lag_seconds[source] for source in sources)
        signs = []
        if cpu_share >= BUSY_SHARE:
            signs.append(f"used up to {min(cpu_share, 1.0):.0%} of one core")
        if lag_seconds >= LATE_SECONDS:
            signs.append(f"saw to responses up to {lag_seconds:.2f} s late")
        return [
            f"{_named(called, lasting, hosts)} could not keep up for {_longest(lasting)} "
            f"({' and '.join(signs)}): the generator, not the target, may have been the limit. "
            "Spread the load over more cores, or give the script less to do."
        ]

    def _of_dropped(self, called: str, hosts: int, iterations: int) -> list[str]:
        dropped = self._dropped.total()
        if dropped == 0 or dropped < DROPPED_SHARE * (dropped + iterations):
            return []
        masks = _by_share(self._dropping, hosts)
        seconds = {share: mask.bit_count() for share, mask in masks.items()}
        return [
            f"{_named(called, seconds, hosts)} dropped {dropped:,} of {dropped + iterations:,} "
            f"iterations in {_longest(seconds)}, since all workers were busy: the rate that the "
            "script asks for was not reached. Give its scenario more workers, if the target may "
            "take that long."
        ]


def _by_share(masks: Mapping[int, int], hosts: int) -> dict[int, int]:
    """Hosts that ran the same share one after the other count as one."""
    found: dict[int, int] = defaultdict(int)
    for source, mask in masks.items():
        found[source % hosts] |= mask
    return found


def _lasting(mask: int) -> int:
    """The bits that belong to LASTING_SECONDS or more in a row."""
    ends = mask
    for shift in range(1, LASTING_SECONDS):
        ends &= mask << shift
    found = ends
    for shift in range(1, LASTING_SECONDS):
        found |= ends >> shift
    return found


def _longest(seconds: Mapping[int, int]) -> str:
    longest = max(seconds.values())
    return f"{'' if len(seconds) == 1 else 'up to '}{longest} s"


def _named(called: str, shares: Iterable[int], hosts: int) -> str:
    """``WorkerActor 2 of 3``; ``WorkerActors 1, 2 and 5 of 8``."""
    numbers = [str(share + 1) for share in sorted(shares)]
    if len(numbers) == 1:
        return f"{called} {numbers[0]} of {hosts:,}"
    if len(numbers) > _MOST_NAMED:
        more = f"{len(numbers) - _MOST_NAMED:,} more"
        numbers = [*numbers[:_MOST_NAMED], more]
    return f"{called}s {', '.join(numbers[:-1])} and {numbers[-1]} of {hosts:,}"
