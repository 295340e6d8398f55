"""What ends other people's runs: machines, processes and connections that go in the middle of one."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from client import Client
from clusters import Cluster, Node
from platforms import WORKERS_PER_ACTOR, Platform
from target import Target
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fusillade.storage import bundled

TWO_ACTORS = WORKERS_PER_ACTOR + 5
PAUSE_SECONDS = 0.1


def pinging(target: Target) -> str:
    return f"export default () => {{ http.get('{target.url}/'); sleep({PAUSE_SECONDS}); }}"


def iterating(target: Target, iterations: int) -> str:
    """It ends when all are done, however long that takes."""
    return f"""export const options = {{ executor: 'shared-iterations', iterations: {iterations},
        maxDuration: '5m' }};
      export default () => {{ http.get('{target.url}/'); sleep({PAUSE_SECONDS}); }}"""


def told(metric: dict[str, Any], words: str) -> bool:
    """Whether a warning has these words."""
    return any(words in warning for warning in metric["warnings"])


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
        async with asyncio.timeout(300):
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

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that fulfils a condition."""
        async with asyncio.timeout(120):
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
    script = iterating(target, 3000)
    test_id = await asyncio.to_thread(
        start, user, script, workers=TWO_ACTORS, duration=300, region="eu-hel1"
    )
    listener = Listener(cluster_platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    before = await listener.until(lambda one: one["elapsed_seconds"] >= 3)
    assert before["active_workers"] > 0

    victim = node_with(cluster, "ray::WorkerActor")
    await asyncio.to_thread(cluster.remove, victim)
    again = await listener.until(lambda one: told(one, "did not run from"))
    # What the dead machine had told lives in the aggregator alone.
    for process in cluster.processes("ray::MetricsAggregator"):
        process.kill()
    await listening
    test = await asyncio.to_thread(user.get, f"/api/v1/tests/{test_id}")
    await asyncio.to_thread(cluster.add, "eu-hel1")

    assert (test["status"], test["reason"]) == ("completed", None)
    assert_series_is_whole(test.body)
    summary = test["summary"]
    assert summary["iterations"] == 3000
    (loss,) = summary["losses"]
    assert loss["node"] is not None
    assert 0 < loss["from_seconds"] < loss["to_seconds"]
    (warning,) = [words for words in summary["warnings"] if "was lost" in words]
    assert f"did not run from second {loss['from_seconds']:.1f}" in warning
    assert warning in again["warnings"]
    active = [point["active_workers"] for point in test["series"]]
    gap = range(int(loss["from_seconds"]) + 1, int(loss["to_seconds"]))
    assert all(active[second] < TWO_ACTORS - 10 for second in gap)
    assert listener.seconds == list(range(listener.seconds[0], listener.seconds[-1] + 1))
    # Nothing counts twice. Of the requests of iterations that were done again some were told of.
    counted = target.counted()["requests"]
    assert 3000 <= summary["total_requests"] <= counted <= 3000 + 5 * TWO_ACTORS / PAUSE_SECONDS


def test_the_share_of_a_killed_process_is_run_by_another_and_no_iteration_is_told_of_twice(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = start(user, iterating(target, 1500), workers=TWO_ACTORS, duration=300)
    time.sleep(1)
    platform.processes("ray::WorkerActor")[0].kill()
    test = user.until(test_id, "failed", "completed")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert test["summary"]["iterations"] == 1500
    assert len(test["summary"]["losses"]) == 1
    assert 1500 <= test["summary"]["total_requests"] <= target.counted()["requests"]


async def test_a_machine_that_was_cut_off_and_comes_back_does_not_count_twice(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    test_id = await asyncio.to_thread(
        start, user, pinging(target), workers=TWO_ACTORS, duration=300, region="eu-hel1"
    )
    listener = Listener(cluster_platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    await listener.until(lambda one: one["elapsed_seconds"] >= 2)
    victim = node_with(cluster, "ray::WorkerActor")
    await asyncio.to_thread(victim.freeze)
    again = await listener.until(lambda one: told(one, "did not run from"))
    await asyncio.to_thread(victim.thaw)
    later = again["elapsed_seconds"] + 3
    await listener.until(lambda one: one["elapsed_seconds"] >= later)
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/stop")
    await listening
    test = await asyncio.to_thread(user.get, f"/api/v1/tests/{test_id}")
    await asyncio.to_thread(cluster.remove, victim)
    await asyncio.to_thread(cluster.add, "eu-hel1")
    assert (test["status"], test["reason"]) == ("stopped", None)
    assert_series_is_whole(test.body)
    assert test["summary"]["total_requests"] <= target.counted()["requests"]
    assert test["summary"]["max_workers"] <= TWO_ACTORS
    assert len(test["summary"]["losses"]) == 1


async def test_a_share_without_a_machine_comes_back_when_there_is_one(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    regions = "eu-hel1:50,us-east-1:50"
    test_id = await asyncio.to_thread(
        start, user, iterating(target, 400), workers=10, duration=300, region=regions
    )
    listener = Listener(cluster_platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    await listener.until(lambda one: one["elapsed_seconds"] >= 1)
    (victim,) = cluster.of("us-east-1")
    await asyncio.to_thread(cluster.remove, victim)
    await listener.until(lambda one: told(one, "has not been running"))
    await asyncio.to_thread(cluster.add, "us-east-1")
    await listening
    test = await asyncio.to_thread(user.get, f"/api/v1/tests/{test_id}")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert test["summary"]["iterations"] == 400
    (loss,) = test["summary"]["losses"]
    assert loss["to_seconds"] is not None
    assert_series_is_whole(test.body)
    assert [one["requests"] >= 200 for one in test["summary"]["by_region"]] == [True, True]


async def test_a_listener_who_comes_back_gets_what_it_missed(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = await asyncio.to_thread(start, user, pinging(target), workers=2, duration=300)
    listener = Listener(platform, user, test_id)
    listening = asyncio.create_task(listener.listen())
    await listener.until(lambda one: one["elapsed_seconds"] >= 2)
    for replica in platform.processes("ServeReplica"):
        replica.kill()
    last = listener.seconds[-1]
    await listener.until(lambda one: one["elapsed_seconds"] >= last + 3)
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/stop")
    await listening
    assert listener.connections > 1
    assert listener.seconds == list(range(listener.seconds[0], listener.seconds[-1] + 1))
    assert listener.metrics[-1]["total_requests"] <= target.counted()["requests"]


@pytest.mark.parametrize(("how", "seconds"), [("frozen", 4), ("gone", 20)])
def test_a_run_goes_on_without_the_database_and_its_summary_is_written_when_that_is_back(
    platform: Platform, user: Client, target: Target, how: str, seconds: float
) -> None:
    test_id = start(user, iterating(target, 40), workers=2, duration=300)
    with database_away(platform.data_dir, how):
        time.sleep(seconds)
        # Nobody asked the database for leave to go on.
        assert target.counted()["requests"] == 40
    test = user.until(test_id, "completed", "failed")
    assert (test["status"], test["reason"]) == ("completed", None)
    assert test["summary"]["total_requests"] == 40
    assert test["summary"]["losses"] == []
    assert_series_is_whole(test)


@contextlib.contextmanager
def database_away(data_dir: Path, how: str) -> Iterator[None]:
    """The bundled PostgreSQL, stopped where it stands or ended, and then back."""
    if how == "gone":
        bundled.stop(data_dir)
        try:
            yield
        finally:
            bundled.start(data_dir)
        return
    family = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(data_dir / "postgres"):
                family.append(process)
                process.suspend()
    assert family
    try:
        yield
    finally:
        for process in family:
            process.resume()
