"""What a cluster has for tests, by region, and whether that will ever be enough for one of them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fusillade.posts import Post


@dataclass(frozen=True, slots=True)
class RegionCapacity:
    """The machines of one region."""

    nodes: int = 0
    """Alive."""
    nodes_starting: int = 0
    """Asked for by the autoscaler, and not alive when it last looked, some seconds ago."""
    cpus: float = 0.0
    cpus_free: float = 0.0
    """Of these, those that no test has."""
    worker_actors: int = 0
    """How many there is room for if no test runs: one has a CPU of its own, on one machine."""


@dataclass(frozen=True, slots=True)
class ClusterCapacity:
    """All of them."""

    regions: Mapping[str, RegionCapacity] = field(default_factory=dict)
    """Those with a machine, alive or starting."""
    scales: bool = False
    """Whether there is an autoscaler."""
    is_idle: bool = False
    """Whether nothing runs on the machines besides the head."""
    refused_groups: frozenset[str] = frozenset()
    """Ids of the placement groups for which the autoscaler will start no machine."""

    def of(self, region: str) -> RegionCapacity:
        """All zero for a region that has no machine."""
        return self.regions.get(region) or RegionCapacity()


@dataclass(frozen=True, slots=True)
class Machine:
    """One node as Ray tells of it."""

    region: str
    cpus: float
    cpus_free: float
    is_head: bool = False


def capacity_of(
    machines: Sequence[Machine],
    starting: Mapping[str, int],
    *,
    scales: bool,
    refused_groups: Iterable[str] = (),
) -> ClusterCapacity:
    """``starting``: how many machines of a region have been asked for."""
    by_region: dict[str, list[Machine]] = {region: [] for region in starting}
    for machine in machines:
        by_region.setdefault(machine.region, []).append(machine)
    return ClusterCapacity(
        regions={
            region: RegionCapacity(
                nodes=len(of),
                nodes_starting=starting.get(region, 0),
                cpus=sum(one.cpus for one in of),
                cpus_free=sum(one.cpus_free for one in of),
                worker_actors=sum(math.floor(one.cpus) for one in of),
            )
            for region, of in sorted(by_region.items())
        },
        scales=scales,
        is_idle=all(one.is_head or one.cpus_free == one.cpus for one in machines),
        refused_groups=frozenset(refused_groups),
    )


def why_never(posts: Iterable[Post], capacity: ClusterCapacity, *, is_refused: bool) -> str | None:
    """Why there will never be room for these posts if nobody adds a machine: a sentence; None if
    there may be.

    ``is_refused``: whether the autoscaler, where there is one, will start no machine for them. It
    says so too when other tests have all that may be started; then this does not know.
    """
    if capacity.scales and not (is_refused and capacity.is_idle):
        return None
    for region, wanted in Counter(post.region for post in posts).items():
        here = capacity.of(region)
        if here.nodes_starting or wanted <= here.worker_actors:
            continue
        if here.nodes == 0:
            others = [code for code, one in capacity.regions.items() if one.worker_actors]
            there = f"there are machines in {', '.join(others)}" if others else "nor for any other"
            return f"The region {region} has no machine, and none is started for it; {there}."
        actors = "1 WorkerActor" if wanted == 1 else f"{wanted} WorkerActors"
        machines = "1 machine" if here.nodes == 1 else f"{here.nodes} machines"
        return (
            f"The test needs {actors} in the region {region}, which has {machines} with room for "
            f"{here.worker_actors} in all, and no more are started for it."
        )
    return None
