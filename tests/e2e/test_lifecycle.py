"""Pausing, deleting, and looking at what a test runs on or waits for."""

import asyncio
import json
import time
from typing import Any

import psycopg
from client import Client
from platforms import WORKERS_PER_ACTOR, Platform
from target import Target
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from fusillade.storage import bundled

TWO_ACTORS = WORKERS_PER_ACTOR + 5


def pinging(target: Target) -> str:
    return f"export default function () {{ http.get('{target.url}/'); sleep(0.05); }}"


def path(test_id: str) -> str:
    return f"/api/v1/tests/{test_id}"


def start(user: Client, script: str, **fields: Any) -> str:
    """A test that has been running for a while."""
    test_id = str(user.create(script, **fields)["test_id"])
    assert user.post(f"{path(test_id)}/start")["status"] == "pending"
    user.until(test_id, "running")
    time.sleep(1)
    return test_id


def pause(user: Client, test_id: str, target: Target) -> int:
    """Pause; how many requests there were when none came any more."""
    answer = user.post(f"{path(test_id)}/pause")
    assert answer.body == {"test_id": test_id, "status": "running", "paused": True}
    before = -1
    while (count := target.counted()["requests"]) != before:
        before = count
        time.sleep(0.5)
    return count


def workers(user: Client, test_id: str) -> list[Any]:
    answer = user.get(f"{path(test_id)}/workers")
    assert answer.status == 200, answer.body
    return list(answer["workers"])


async def listen(platform: Platform, user: Client, test_id: str) -> tuple[list[Any], int | None]:
    """The states that the WebSocket tells of, and what it is closed with."""
    states = []
    url = f"{platform.url.replace('http', 'ws', 1)}/ws/runs/{test_id}?token={user.token}"
    async with asyncio.timeout(60), connect(url, proxy=None) as socket:
        try:
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "status":
                    states.append((message["status"], message["paused"]))
        except ConnectionClosed:
            return states, socket.close_code


async def test_a_paused_test_goes_on_and_its_counts_stay_exact_though_its_owner_is_killed(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = user.create(pinging(target), workers=TWO_ACTORS, duration=3)["test_id"]
    listening = asyncio.create_task(listen(platform, user, test_id))
    await asyncio.sleep(0.5)

    def play() -> Any:
        user.post(f"{path(test_id)}/start")
        user.until(test_id, "running")
        time.sleep(1)
        count = pause(user, test_id, target)
        for owner in platform.processes("ray::TestRunActor"):
            owner.kill()
        assert user.get(path(test_id))["paused"] is True
        time.sleep(3)  # it would have ended by now
        assert user.get(path(test_id))["status"] == "running"
        assert [(one["state"], one["active_workers"]) for one in workers(user, test_id)] == [
            ("paused", 0)
        ] * 2
        assert target.counted()["requests"] == count
        answer = user.post(f"{path(test_id)}/resume")
        assert answer.body == {"test_id": test_id, "status": "running", "paused": False}
        return user.until(test_id, "completed", "failed")

    test = await asyncio.to_thread(play)
    assert (test["status"], test["reason"], test["paused"]) == ("completed", None, False)
    assert test["summary"]["total_requests"] == target.counted()["requests"]
    assert test["summary"]["duration_seconds"] > 3 + 3
    seconds = [point["second"] for point in test["series"]]
    assert seconds == list(range(len(seconds)))
    states, code = await listening
    running = ("running", False)
    assert states[-4:] == [running, ("running", True), running, ("completed", False)]
    assert code == 1000


def test_a_paused_test_can_be_stopped(user: Client, target: Target) -> None:
    test_id = start(user, pinging(target), workers=2, duration=60)
    count = pause(user, test_id, target)
    assert user.post(f"{path(test_id)}/stop")["status"] == "stopped"
    test = user.get(path(test_id))
    assert (test["paused"], test["reason"]) == (False, None)
    assert test["summary"]["total_requests"] == count


def test_a_test_that_is_paused_for_too_long_is_stopped(
    platform: Platform, user: Client, target: Target
) -> None:
    test_id = start(user, pinging(target), workers=2, duration=60)
    pause(user, test_id, target)
    url = bundled.start(platform.data_dir).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE tests SET paused_at = paused_at - 3600 WHERE id = %s", (test_id,)
        )
    test = user.until(test_id, "stopped", "completed", "failed")
    assert test["status"] == "stopped"
    assert test["reason"] == "The test was paused for more than 3600 s, so it was stopped."


async def test_deleted_tests_leave_nothing_and_close_their_listeners_cleanly(
    platform: Platform, user: Client, target: Target
) -> None:
    slow = f"export function setup() {{ sleep(50); }}\n{pinging(target)}"
    waiting = user.create(slow, "", region="us-east-1")["test_id"]
    in_setup = user.create(slow)["test_id"]
    running = user.create(pinging(target), duration=60)["test_id"]
    listening = [
        asyncio.create_task(listen(platform, user, test_id))
        for test_id in (waiting, in_setup, running)
    ]

    def delete() -> None:
        user.post(f"{path(in_setup)}/start")
        user.post(f"{path(running)}/start")
        user.until(running, "running")
        time.sleep(1)
        for test_id in (waiting, in_setup, running):
            assert user.call("DELETE", path(test_id)).status == 204
            assert user.get(path(test_id)).status == 404

    def see_that_all_is_gone() -> None:
        deadline = time.monotonic() + 30
        words = ("ray::TestRunActor", "ray::WorkerActor", "ray::MetricsAggregator", "engine.host")
        while left := [word for word in words if platform.processes(word)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.2)
        # It needs all machines.
        ended = user.run("export default () => { sleep(0.1); }", workers=TWO_ACTORS)
        assert ended["status"] == "completed"

    await asyncio.to_thread(delete)
    heard = await asyncio.gather(*listening)
    assert [code for _, code in heard] == [1000] * 3
    assert [states[-1] for states, _ in heard] == [
        ("provisioning", False),
        ("pending", False),
        ("running", False),
    ]
    await asyncio.to_thread(see_that_all_is_gone)


def test_the_worker_actors_of_a_live_test_can_be_looked_at(user: Client, target: Target) -> None:
    test_id = user.create(pinging(target), workers=TWO_ACTORS, duration=60)["test_id"]
    ready = workers(user, test_id)
    assert [(one["index"], one["state"], one["region"]) for one in ready] == [
        (0, "ready", "eu-hel1"),
        (1, "ready", "eu-hel1"),
    ]
    user.post(f"{path(test_id)}/start")
    user.until(test_id, "running")
    time.sleep(3)
    running = workers(user, test_id)
    assert {one["state"] for one in running} == {"running"}
    assert all(one["rps"] > 0 and one["cpu_share"] > 0 and one["node"] for one in running)
    assert all(one["last_heartbeat_at"] > ready[0]["last_heartbeat_at"] for one in running)
    assert 0 < sum(one["active_workers"] for one in running) <= TWO_ACTORS
    queue = user.get(f"{path(test_id)}/queue").body
    assert (queue["waiting"], queue["position"], queue["waiting_for"]) == (False, 0, None)
    assert (queue["worker_actors_wanted"], queue["worker_actors_there"]) == (2, 2)
    user.post(f"{path(test_id)}/stop")
    user.until(test_id, "stopped")
    assert workers(user, test_id) == []


def test_tests_that_wait_for_machines_know_their_place(user: Client) -> None:
    script = "export default () => { sleep(0.1); }"
    ids = [
        user.create(script, "", region="us-east-1", workers=count)["test_id"]
        for count in (1, TWO_ACTORS)
    ]

    def queue() -> list[tuple[Any, ...]]:
        shown = [user.get(f"{path(test_id)}/queue").body for test_id in ids]
        return [(one["position"], one["waiting_for"], one["worker_actors_there"]) for one in shown]

    def queue_is(*expected: tuple[Any, ...]) -> None:
        deadline = time.monotonic() + 30  # the cluster is asked now and then
        while (found := queue()) != [*expected]:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    full = ", where no machine is free and no more may be started"
    queue_is(
        (1, f"1 WorkerActor in us-east-1{full}", 0), (2, f"2 WorkerActors in us-east-1{full}", 0)
    )
    user.post(f"{path(ids[0])}/stop")
    queue_is((0, None, 0), (1, f"2 WorkerActors in us-east-1{full}", 0))
    user.post(f"{path(ids[1])}/stop")
