"""What ends other people's runs: machines, processes and connections that go in the middle of one."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from client import Client
from clusters import Cluster, Node
from platforms import WORKERS_PER_ACTOR, Platform
from target import Target
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TWO_ACTORS = WORKERS_PER_ACTOR + 5
PAUSE_SECONDS = 0.1


def pinging(target: Target) -> str:
    return f"export default () => {{ http.get('{target.url}/'); sleep({PAUSE_SECONDS}); }}"


def start(user: Client, script: str, **fields: Any) -> str:
    """A test that is running."""
    test_id = str(user.create(script, **fields)["test_id"])
    assert user.post(f"/api/v1/tests/{test_id}/start")["status"] == "pending"
    user.until(test_id, "running")
    return test_id


class Listener:
    """All that the WebSocket tells, also over lost connections: it comes back for the rest."""

    def __init__(self, platform: Platform, user: Client, test_id: str) -> None:
        self._url = f"{platform.url.replace('http', 'ws', 1)}/ws/runs/{test_id}?token={user.token}"
        self.metrics: list[dict[str, Any]] = []
        self.connections = 0

    async def listen(self) -> None:
        """Until the summary has come."""
        async with asyncio.timeout(120):
            while True:
                after = f"&after={self.seconds[-1]}" if self.metrics else ""
                with contextlib.suppress(ConnectionClosed, OSError):
                    async with connect(self._url + after, proxy=None) as socket:
                        self.connections += 1
                        while True:
                            message = json.loads(await socket.recv())
                            if message["type"] == "metric":
                                self.metrics.append(message)
                            elif message["type"] == "summary":
                                return
                await asyncio.sleep(0.3)

    @property
    def seconds(self) -> list[int]:
        """The seconds that it was told of, in the order in which it was."""
        return [metric["elapsed_seconds"] for metric in self.metrics]

    async def until(self, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first message that fulfils a condition."""
        async with asyncio.timeout(60):
            while True:
                for metric in self.metrics:
                    if condition(metric):
                        return metric
                await asyncio.sleep(0.05)


def node_with(cluster: Cluster, word: str) -> Node:
    """A node that has such a process."""
    (node, *_) = [node for node in cluster.nodes if node.processes(word)]
    return node


def assert_series_is_whole(test: dict[str, Any]) -> None:
    seconds = [point["second"] for point in test["series"]]
    assert seconds == list(range(len(seconds)))
    total = test["summary"]["total_requests"]
    assert sum(point["requests"] for point in test["series"]) == total


async def test_the_share_of_a_node_that_dies_runs_on_another_and_nothing_told_is_lost(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    test_id = await asyncio.to_thread(
        start, user, pinging(target), workers=TWO_ACTORS, duration=16, region="eu-hel1"
    )
    listener = Listener(cluster_platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    before = await listener.until(lambda one: one["elapsed_seconds"] >= 3, "it ran")
    assert (before["active_workers"] > 0, before["warnings"]) == (True, [])

    victim = node_with(cluster, "ray::WorkerActor")
    await asyncio.to_thread(cluster.remove, victim)
    await listener.until(lambda one: bool(one["warnings"]), "it was noticed")
    again = await listener.until(
        lambda one: any("did not run from" in words for words in one["warnings"]), "it ran again"
    )
    # What the dead machine had told lives in the aggregator alone.
    for process in cluster.processes("ray::MetricsAggregator"):
        process.kill()
    await listening
    test = await asyncio.to_thread(user.until, test_id, "completed", "failed")
    await asyncio.to_thread(cluster.add, "eu-hel1")

    assert (test["status"], test["reason"]) == ("completed", None)
    assert_series_is_whole(test)
    summary = test["summary"]
    (loss,) = summary["losses"]
    assert loss["node"] is not None
    assert 0 < loss["from_seconds"] < loss["to_seconds"] < 16
    (warning,) = [words for words in summary["warnings"] if "was lost" in words]
    assert f"did not run from second {loss['from_seconds']:.1f}" in warning
    assert warning in again["warnings"]
    active = [point["active_workers"] for point in test["series"]]
    gap = range(int(loss["from_seconds"]) + 1, int(loss["to_seconds"]))
    assert all(active[second] < max(active[:2]) for second in gap)
    assert listener.seconds == list(range(listener.seconds[0], listener.seconds[-1] + 1))
    # Nothing counts twice; what had not been told when the machine died is all that is missing.
    counted = target.counted()["requests"]
    untold = TWO_ACTORS / PAUSE_SECONDS * 3
    assert again["total_requests"] <= summary["total_requests"] <= counted
    assert counted - summary["total_requests"] < untold


def test_iterations_that_were_told_of_are_not_done_again(
    platform: Platform, user: Client, target: Target
) -> None:
    script = f"""export const options = {{ executor: 'shared-iterations', vus: {TWO_ACTORS},
        iterations: 600, maxDuration: '1m' }};
      export default () => {{ http.get('{target.url}/'); sleep(0.3); }}"""
    test_id = start(user, script, workers=TWO_ACTORS, duration=60)
    time.sleep(2.5)
    platform.processes("ray::WorkerActor")[0].kill()
    test = user.until(test_id, "failed", "completed")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert test["summary"]["iterations"] == 600
    # Those under way, and those that ended since the last second that was told, are done again.
    counted = target.counted()["requests"]
    assert 600 <= test["summary"]["total_requests"] <= counted <= 600 + 4 * TWO_ACTORS
    assert len(test["summary"]["losses"]) == 1


async def test_a_machine_that_was_cut_off_and_comes_back_does_not_count_twice(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    test_id = await asyncio.to_thread(
        start, user, pinging(target), workers=TWO_ACTORS, duration=18, region="eu-hel1"
    )
    listener = Listener(cluster_platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    await listener.until(lambda one: one["elapsed_seconds"] >= 2, "it ran")
    victim = node_with(cluster, "ray::WorkerActor")
    await asyncio.to_thread(victim.freeze)
    await listener.until(
        lambda one: any("did not run from" in words for words in one["warnings"]), "it ran again"
    )
    await asyncio.to_thread(victim.thaw)
    await listening
    test = await asyncio.to_thread(user.until, test_id, "completed", "failed")
    await asyncio.to_thread(cluster.remove, victim)
    await asyncio.to_thread(cluster.add, "eu-hel1")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert_series_is_whole(test)
    assert test["summary"]["total_requests"] <= target.counted()["requests"]
    assert test["summary"]["max_workers"] <= TWO_ACTORS
    assert len(test["summary"]["losses"]) == 1


def test_a_share_without_a_machine_comes_back_when_there_is_one(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    regions = "eu-hel1:50,us-east-1:50"
    test_id = start(user, pinging(target), workers=10, duration=20, region=regions)
    (victim,) = cluster.of("us-east-1")
    cluster.remove(victim)
    time.sleep(4)
    workers = user.get(f"/api/v1/tests/{test_id}/workers")["workers"]
    cluster.add("us-east-1")
    test = user.until(test_id, "completed", "failed")
    assert {one["region"]: one["state"] for one in workers}["eu-hel1"] == "running"
    assert (test["status"], test["reason"]) == ("completed", None)
    (loss,) = test["summary"]["losses"]
    assert loss["to_seconds"] is not None
    assert_series_is_whole(test)
    assert all(one["requests"] > 0 for one in test["summary"]["by_region"])
