"""What there is of a region, and whether it will ever be enough."""

import pytest

from fusillade.capacity import ClusterCapacity, Machine, RegionCapacity, capacity_of, why_never
from fusillade.engine.share import Share
from fusillade.posts import Post

HEAD = Machine("head", 2.0, 0.0, is_head=True)
HELSINKI = Machine("eu-hel1", 2.0, 2.0)
BUSY = Machine("eu-hel1", 2.0, 1.0)


def posts(**regions: int) -> list[Post]:
    """So many in each region; underscores stand for hyphens."""
    return [
        Post(region.replace("_", "-"), 1, Share())
        for region, count in regions.items()
        for _ in range(count)
    ]


def test_machines_are_counted_by_region() -> None:
    machines = [HELSINKI, BUSY, Machine("us-east-1", 3.5, 0.5), Machine("us-east-1", 0.5, 0.5)]
    capacity = capacity_of(machines, {"us-east-1": 2, "ap-sin1": 1}, scales=True)
    assert capacity.regions == {
        "ap-sin1": RegionCapacity(nodes_starting=1),
        "eu-hel1": RegionCapacity(nodes=2, cpus=4.0, cpus_free=3.0, worker_actors=4),
        "us-east-1": RegionCapacity(
            nodes=2, nodes_starting=2, cpus=4.0, cpus_free=1.0, worker_actors=3
        ),
    }
    assert capacity.of("moon-1") == RegionCapacity()
    assert not capacity.is_idle
    assert capacity_of([HEAD, HELSINKI], {}, scales=True).is_idle


def fixed(*machines: Machine) -> ClusterCapacity:
    """Of a cluster without an autoscaler."""
    return capacity_of([HEAD, *machines], {}, scales=False)


@pytest.mark.parametrize(
    ("capacity", "wanted", "reason"),
    [
        (
            fixed(HELSINKI),
            posts(eu_hel1=1, moon_1=1),
            "The region moon-1 has no machine, and none is started for it; there are machines in "
            "eu-hel1, head.",
        ),
        (
            fixed(HELSINKI),
            posts(eu_hel1=3),
            "The test needs 3 WorkerActors in the region eu-hel1, which has 1 machine with room "
            "for 2 in all, and no more are started for it.",
        ),
        (
            fixed(Machine("eu-hel1", 0.5, 0.5), Machine("eu-hel1", 0.5, 0.5)),
            posts(eu_hel1=1),
            "The test needs 1 WorkerActor in the region eu-hel1, which has 2 machines with room "
            "for 0 in all, and no more are started for it.",
        ),
        (fixed(BUSY, BUSY), posts(eu_hel1=4), None),  # they will be free one day
    ],
)
def test_a_cluster_that_does_not_scale_is_all_there_will_be(
    capacity: ClusterCapacity, wanted: list[Post], reason: str | None
) -> None:
    assert why_never(wanted, capacity, is_refused=False) == reason


def test_an_autoscaler_knows_whether_more_can_be_had() -> None:
    idle = capacity_of([HEAD, HELSINKI], {}, scales=True)
    busy = capacity_of([HEAD, HELSINKI, BUSY], {}, scales=True)
    starting = capacity_of([HEAD], {"moon-1": 1}, scales=True)
    wanted = posts(moon_1=1)
    assert why_never(wanted, idle, is_refused=False) is None
    reason = why_never(wanted, idle, is_refused=True)
    assert reason is not None
    assert reason.startswith("The region moon-1 has no machine")
    # All that may be started may be with those who are busy.
    assert why_never(wanted, busy, is_refused=True) is None
    assert why_never(wanted, starting, is_refused=True) is None
