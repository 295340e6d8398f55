"""The nodes of ``cluster.yaml``: they start when a test needs them, and go when none does."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from autoscaling import IDLE_SECONDS, machines, running_autoscaling_cluster
from client import Client
from clusters import Cluster, platform_on
from target import Target

WORKERS = 30
"""Two WorkerActors of a platform of tests, which are all that a node takes."""


@dataclass(frozen=True)
class Autoscaling:
    """A platform on a cluster that scales, as its administrator uses it."""

    cluster: Cluster
    user: Client

    def machines(self, region: str) -> int:
        """How many nodes of a region run."""
        return machines(self.cluster, region)

    def until_idle(self) -> None:
        """Wait for all nodes but the head to be gone."""
        deadline = time.monotonic() + 60
        while self.machines("eu-hel1") + self.machines("us-east-1"):
            assert time.monotonic() < deadline, "a machine that nobody needs is still there"
            time.sleep(0.2)

    def create(self, script: str, region: str, **fields: object) -> str:
        """A test that does not have its machines yet."""
        fields = {"workers": WORKERS, "region": region} | fields
        created = self.user.create(script, "", **fields)
        assert created.status == 201, created.body
        return str(created["test_id"])

    def queue(self, test_id: str) -> dict[str, object]:
        """What a test waits for."""
        return dict(self.user.get(f"/api/v1/tests/{test_id}/queue").body)


@pytest.fixture(scope="module")
def running() -> Iterator[Autoscaling]:
    with (
        running_autoscaling_cluster() as cluster,
        platform_on(cluster, FUSILLADE_HOPELESS_SECONDS="6") as platform,
    ):
        yield Autoscaling(cluster, platform.log_in())


@pytest.fixture
def autoscaling(running: Autoscaling) -> Autoscaling:
    """With no machine but the head."""
    running.until_idle()
    return running


def script(target: Target) -> str:
    return f"export default () => {{ http.get('{target.url}/'); sleep(0.1); }};"


def test_a_machine_of_the_region_starts_for_a_test_stays_as_long_as_it_lives_and_goes(
    autoscaling: Autoscaling, target: Target
) -> None:
    user = autoscaling.user
    test_id = autoscaling.create(script(target), "us-east-1")
    queue = autoscaling.queue(test_id)
    assert (queue["status"], queue["waiting"], queue["region_full"]) == (
        "provisioning",
        True,
        False,
    )
    assert queue["waiting_for"] == "2 WorkerActors in us-east-1"

    user.until(test_id, "ready")
    assert autoscaling.queue(test_id)["waiting_for"] is None
    assert autoscaling.machines("us-east-1") == 1
    assert autoscaling.machines("eu-hel1") == 0

    time.sleep(IDLE_SECONDS + 2)  # nothing runs there, but what is there is reserved
    assert user.post(f"/api/v1/tests/{test_id}/start").status == 200
    ended = user.until(test_id, "completed", "failed")
    assert (ended["status"], ended["reason"]) == ("completed", None)
    assert ended["summary"]["total_requests"] == target.counted()["requests"] > 0
    autoscaling.until_idle()


def test_two_regions_grow_at_once_for_one_test(autoscaling: Autoscaling, target: Target) -> None:
    fields = {"workers": 50, "duration": 2}  # 30 and 20: two WorkerActors and one
    test_id = autoscaling.create(script(target), "eu-hel1:60,us-east-1:40", **fields)
    deadline = time.monotonic() + 60
    starting: set[str] = set()
    while starting != {"eu-hel1", "us-east-1"}:
        assert time.monotonic() < deadline, starting
        shown = autoscaling.user.get("/api/v1/regions")["regions"]
        starting |= {one["code"] for one in shown if one["nodes_starting"] or one["nodes"]}
        time.sleep(0.1)
    autoscaling.user.until(test_id, "ready")
    assert [autoscaling.machines(region) for region in ("eu-hel1", "us-east-1")] == [1, 1]
    autoscaling.user.post(f"/api/v1/tests/{test_id}/start")
    ended = autoscaling.user.until(test_id, "completed", "failed")
    assert (ended["status"], ended["reason"]) == ("completed", None)
    by_region = {one["region"]: one["requests"] for one in ended["summary"]["by_region"]}
    assert sum(by_region.values()) == target.counted()["requests"]
    assert min(by_region.values()) > 0


def test_a_region_that_no_type_of_machine_has_fails_and_one_that_is_too_small(
    autoscaling: Autoscaling,
) -> None:
    user = autoscaling.user
    nowhere = autoscaling.create("export default () => {};", "ap-sin1")
    large = autoscaling.create("export default () => {};", "us-east-1", workers=2 * WORKERS)
    reasons = [user.until(one, "failed", "ready")["reason"] for one in (nowhere, large)]
    assert "The region ap-sin1 has no machine, and none is started for it;" in reasons[0]
    assert "region us-east-1" in reasons[1]


def test_a_region_with_all_its_machines_queues_the_next_test_and_says_so(
    autoscaling: Autoscaling, target: Target
) -> None:
    user = autoscaling.user
    first, second, third = (autoscaling.create(script(target), "eu-hel1") for _ in range(3))
    user.until(first, "ready")
    deadline = time.monotonic() + 60
    while not autoscaling.queue(second)["region_full"]:
        assert time.monotonic() < deadline, autoscaling.queue(second)
        time.sleep(0.2)
    queue = autoscaling.queue(second)
    assert (queue["waiting"], queue["position"]) == (True, 1)
    assert queue["waiting_for"] == (
        "2 WorkerActors in eu-hel1, where no machine is free and no more may be started"
    )
    assert autoscaling.queue(third)["position"] == 2

    assert user.post(f"/api/v1/tests/{first}/stop").status == 200
    user.until(second, "ready")
    assert autoscaling.queue(second)["region_full"] is False
    assert autoscaling.queue(third)["position"] == 1
    assert autoscaling.machines("eu-hel1") == 1
    for test_id in (second, third):
        user.post(f"/api/v1/tests/{test_id}/stop")
