"""What a test waits for, as far as the database alone can tell, and when the cluster hangs."""

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import ray
from apis import Api
from stored import stored_test

from actors import cluster_question
from actors.cluster_question import ClusterQuestion
from fusillade.posts import Capacity, posts_of
from fusillade.queueing import Reservation, queue_status
from fusillade.storage.models import Test, User


async def test_the_queue_is_one_for_all_organisations_and_tells_nothing_of_others(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    other = await api.user("other@else.test", "Else")
    waiting: dict[str, Any] = {"status": "provisioning", "summary": None, "workers": 1500}
    await stored_test(api.store, other, **waiting, name="secret", days_ago=3)
    await stored_test(api.store, other, **waiting, region="us-east-1", days_ago=2)
    await stored_test(api.store, other, status="ready", days_ago=2)
    await stored_test(api.store, other, **waiting)
    mine = await stored_test(api.store, user, **waiting, days_ago=1)
    answer = (await owner.get(f"/api/v1/tests/{mine.id}/queue")).json()
    assert datetime.fromisoformat(answer.pop("waiting_since")).date() == mine.created_at.date()
    assert answer == {
        "test_id": str(mine.id),
        "status": "provisioning",
        "waiting": True,
        "position": 2,
        "waiting_for": "2 WorkerActors in eu-hel1",
        "region_full": False,
        "worker_actors_wanted": 2,
        "worker_actors_there": None,
        "by_region": [
            {"region": "eu-hel1", "worker_actors_wanted": 2, "worker_actors_there": None}
        ],
    }


async def test_a_test_of_several_regions_waits_behind_those_of_each(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    waiting: dict[str, Any] = {"status": "provisioning", "summary": None, "workers": 5000}
    for days, region in [(9, "eu-hel1"), (8, "ap-sin1"), (7, "ap-sin1:1,us-east-1:1")]:
        await stored_test(api.store, user, **waiting, region=region, days_ago=days)
    mine = await stored_test(
        api.store, user, **waiting, region="eu-hel1:60,us-east-1:40", days_ago=1
    )
    answer = (await owner.get(f"/api/v1/tests/{mine.id}/queue")).json()
    assert (answer["position"], answer["waiting_for"]) == (
        3,
        "3 WorkerActors in eu-hel1 and 2 in us-east-1",
    )
    assert answer["by_region"] == [
        {"region": "eu-hel1", "worker_actors_wanted": 3, "worker_actors_there": None},
        {"region": "us-east-1", "worker_actors_wanted": 2, "worker_actors_there": None},
    ]
    listed = {
        code: (await owner.get(f"/api/v1/tests?region={code}")).json()["total"]
        for code in ("eu-hel1", "us-east-1", "ap-sin1", "sin1", "eu-hel1:60")
    }
    assert listed == {"eu-hel1": 2, "us-east-1": 2, "ap-sin1": 2, "sin1": 0, "eu-hel1:60": 0}


@pytest.mark.parametrize("status", ["ready", "running", "completed", "cancelled"])
async def test_a_test_that_waits_for_nothing_has_position_0(
    api: Api, owner: httpx.AsyncClient, user: User, status: str
) -> None:
    test = await stored_test(api.store, user, status=status)
    answer = (await owner.get(f"/api/v1/tests/{test.id}/queue")).json()
    assert (answer["waiting"], answer["position"], answer["waiting_for"]) == (False, 0, None)
    assert (answer["waiting_since"], answer["status"]) == (None, status)


async def test_a_test_that_has_ended_has_no_worker_actors(
    api: Api, owner: httpx.AsyncClient, user: User
) -> None:
    test = await stored_test(api.store, user)
    assert (await owner.get(f"/api/v1/tests/{test.id}/workers")).json() == {"workers": []}


def test_those_whose_machines_are_there_are_no_longer_in_the_queue() -> None:
    test = Test(
        id=uuid4(),
        status="provisioning",
        region="eu-hel1",
        workers=3,
        options={},
        created_at=datetime.now(UTC),
    )
    posts = posts_of(test, Capacity(workers=1, iterations_per_second=1))
    none, two, three = frozenset[int](), frozenset({0, 2}), frozenset({0, 1, 2})
    first, second = uuid4(), uuid4()
    reserved = {first: Reservation(True, three), second: Reservation(False, none)}
    status = queue_status(test, [first, second], reserved, posts)
    assert (status.position, status.waiting_for, status.there) == (
        2,
        "3 WorkerActors in eu-hel1",
        0,
    )
    status = queue_status(test, [first], reserved | {test.id: Reservation(False, two)}, posts)
    assert (status.position, status.waiting_for, status.there) == (1, "1 WorkerActor in eu-hel1", 2)
    assert not status.is_region_full
    status = queue_status(test, [], {test.id: Reservation(False, two, is_refused=True)}, posts)
    assert status.is_region_full
    full = "1 WorkerActor in eu-hel1, where no machine is free and no more may be started"
    assert status.waiting_for == full
    status = queue_status(test, [first], {first: Reservation(False, two, is_refused=True)}, posts)
    assert status.is_region_full  # it has asked for nothing, since it stands behind another
    status = queue_status(test, [first, second], {test.id: Reservation(True, three)}, posts)
    assert (status.waiting, status.position, status.there) == (False, 0, 3)


async def test_a_cluster_that_hangs_is_asked_once_and_waited_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answer = [], threading.Event()

    def hang() -> dict[Any, Any]:
        asked.append(1)
        answer.wait(30)
        return {}

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(cluster_question, "ANSWER_SECONDS", 0.1)
    looking = ClusterQuestion("everything", hang)
    try:
        assert [await looking.look() for _ in range(3)] == [None] * 3
        assert asked == [1]
        answer.set()
        monkeypatch.setattr(cluster_question, "ANSWER_SECONDS", 10.0)
        assert await looking.look() == {}
    finally:
        answer.set()
        looking.close()
