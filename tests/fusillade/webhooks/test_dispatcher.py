"""The dispatcher: what becomes of a message between the outbox and its receiver."""

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dispatchers import Clock, running_dispatcher
from outboxes import deliveries, emit, move, new_test, organisation, settled, webhook
from receivers import Received, Receiver, Reply, eventually

from fusillade.storage import notices, webhooks
from fusillade.storage.database import Database
from fusillade.storage.models import Webhook, WebhookDelivery
from fusillade.webhooks import dispatcher, outbox
from fusillade.webhooks.dispatcher import Dispatcher

EVENTS = ("test.ready", "test.started", "test.completed")


@pytest.fixture
async def owner(store: Database) -> UUID:
    return await organisation(store)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def running(database_url: str, trusted: Path, clock: Clock) -> AsyncIterator[Dispatcher]:
    """A dispatcher whose time is ``clock``."""
    async with running_dispatcher(database_url, trusted, clock) as started:
        yield started


def all_are(status: str) -> Callable[[list[WebhookDelivery]], bool]:
    return lambda rows: {row.status for row in rows} == {status}


def attempted(times: int) -> Callable[[list[WebhookDelivery]], bool]:
    return lambda rows: rows[0].attempts == times


async def reloaded(store: Database, hook: Webhook) -> Webhook:
    async with store.session() as session:
        return await webhooks.get(session, hook.id, hook.organisation_id)


async def test_a_run_arrives_step_by_step(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    test_id = await new_test(store, owner)
    await move(store, test_id, "ready", "pending", "running", "completed")
    rows = await settled(store, hook, all_are("delivered"))
    assert receiver.events() == list(EVENTS)
    assert [one.delivery_id for one in receiver.requests] == [str(row.id) for row in rows]
    assert [one.body for one in receiver.requests] == [row.payload for row in rows]
    assert all(one.signed_by(hook.secret) == [0] for one in receiver.requests)
    for row in rows:
        assert (row.attempts, row.response_status, row.response_body) == (1, 200, "thanks")
        assert (row.next_attempt_at, row.claim, row.claimed_until, row.error) == (None,) * 4
        assert row.duration_ms is not None
        assert row.last_attempt_at is not None


async def test_a_failure_is_tried_again_after_the_references_delays_and_then_given_up(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    receiver.answer = lambda received: Reply(500, b"no " * 1000)
    await emit(store, owner)
    for made, delay in enumerate((30, 120, 480), start=1):
        (row,) = await settled(store, hook, attempted(made))
        assert (row.status, row.response_status) == ("pending", 500)
        assert row.response_body == ("no " * 1000)[:1024]
        assert row.next_attempt_at is not None
        assert row.last_attempt_at is not None
        assert row.next_attempt_at - row.last_attempt_at == timedelta(seconds=delay)
        clock.forward(delay)
        running.wake()
    (row,) = await settled(store, hook, all_are("failed"))
    assert (row.attempts, row.next_attempt_at) == (4, None)
    assert len({one.delivery_id for one in receiver.requests}) == 1
    assert len(receiver.requests) == 4


async def test_nothing_is_tried_again_before_its_time(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    receiver.answer = lambda received: Reply(503)
    await emit(store, owner, number=1)
    await settled(store, hook, attempted(1))
    receiver.answer = lambda received: Reply()
    clock.forward(25)
    running.wake()
    await emit(store, owner, number=2)
    await receiver.until(2)
    await settled(store, hook, lambda rows: rows[1].status == "delivered")
    assert [one.data["number"] for one in receiver.requests] == [1, 2]
    clock.forward(5)
    running.wake()
    await receiver.until(3)
    rows = await settled(store, hook, all_are("delivered"))
    assert [row.attempts for row in rows] == [2, 1]


async def test_a_message_waits_for_the_earlier_ones_of_its_test_and_for_no_others(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    first, second = await new_test(store, owner), await new_test(store, owner)

    def refuse_the_first(received: Received) -> Reply:
        return Reply(500 if received.data["test_id"] == str(first) else 200)

    receiver.answer = refuse_the_first
    await move(store, first, "ready")
    await settled(store, hook, attempted(1))
    await move(store, first, "pending", "running", "completed")
    await move(store, second, "ready", "pending", "running", "completed")
    await settled(store, hook, lambda rows: all(r.status == "delivered" for r in rows[3:]))
    of_first = [one for one in receiver.requests if one.data["test_id"] == str(first)]
    assert [one.event for one in of_first] == ["test.ready"]
    receiver.answer = lambda received: Reply()
    clock.forward(30)
    running.wake()
    await settled(store, hook, all_are("delivered"))
    of_first = [one for one in receiver.requests if one.data["test_id"] == str(first)]
    assert [one.event for one in of_first] == [
        "test.ready",
        "test.ready",
        "test.started",
        "test.completed",
    ]


async def test_what_is_given_up_holds_nothing_back(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    receiver.answer = lambda received: Reply(500 if received.event == "test.ready" else 200)
    test_id = await new_test(store, owner)
    await move(store, test_id, "ready", "pending", "running")
    for made, delay in enumerate((30, 120, 480), start=1):
        await settled(store, hook, attempted(made))
        clock.forward(delay)
        running.wake()
    rows = await settled(store, hook, lambda rows: rows[1].status == "delivered")
    assert rows[0].status == "failed"


async def test_a_slow_receiver_holds_up_nobody_else(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher
) -> None:
    slow = await webhook(store, owner, url=receiver.url("/slow"))
    fast = await webhook(store, owner, url=receiver.url("/fast"))
    go_on = threading.Event()
    receiver.answer = lambda one: Reply(after=go_on if one.path == "/slow" else None)
    for number in range(12):
        await emit(store, owner, number=number)
    await settled(store, fast, all_are("delivered"))
    await eventually(lambda: len(receiver.events("/slow")) >= 4)
    assert len(receiver.events("/slow")) == 4
    go_on.set()
    await settled(store, slow, all_are("delivered"))


async def test_a_new_message_wakes_the_dispatcher(
    store: Database,
    owner: UUID,
    receiver: Receiver,
    database_url: str,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 3600.0)
    await webhook(store, owner, url=receiver.url())
    async with running_dispatcher(database_url, trusted):
        for count in (1, 2):
            await emit(store, owner)
            await receiver.until(count)


async def test_a_message_whose_notice_is_lost_is_found_all_the_same(
    store: Database,
    owner: UUID,
    receiver: Receiver,
    database_url: str,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def deaf(*arguments: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(notices, "listen", deaf)
    monkeypatch.setattr(dispatcher, "LOOK_SECONDS", 0.1)
    await webhook(store, owner, url=receiver.url())
    async with running_dispatcher(database_url, trusted):
        for count in (1, 2):
            await emit(store, owner)
            await receiver.until(count)


async def test_while_the_database_is_away_it_waits_and_then_goes_on(
    store: Database,
    owner: UUID,
    receiver: Receiver,
    running: Dispatcher,
    postgres_url: str,
    database_url: str,
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    go_on = threading.Event()
    receiver.answer = lambda received: Reply(after=go_on)
    await emit(store, owner, number=1)
    await receiver.until(1)
    name = database_url.partition("?")[0].rpartition("/")[2]
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")

    def execute(statement: str) -> None:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    go_on.set()  # it is answered while nobody can write that down
    await asyncio.sleep(0.3)
    execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await emit(store, owner, number=2)
    rows = await settled(store, hook, all_are("delivered"))
    assert [row.attempts for row in rows] == [1, 1]
    assert [one.data["number"] for one in receiver.requests] == [1, 2]


async def test_two_dispatchers_share_the_work(
    store: Database, owner: UUID, receiver: Receiver, database_url: str, trusted: Path
) -> None:
    hooks = [await webhook(store, owner, url=receiver.url(f"/{n}")) for n in range(3)]
    for number in range(10):
        await emit(store, owner, number=number)
    async with (
        running_dispatcher(database_url, trusted),
        running_dispatcher(database_url, trusted),
    ):
        for hook in hooks:
            rows = await settled(store, hook, all_are("delivered"))
            assert [row.attempts for row in rows] == [1] * 10
    assert len(receiver.requests) == len({one.delivery_id for one in receiver.requests}) == 30


async def test_events_of_a_test_arrive_in_order_whatever_fails_and_however_many_send(
    store: Database,
    owner: UUID,
    receiver: Receiver,
    database_url: str,
    trusted: Path,
    clock: Clock,
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    dice = random.Random(6)
    arrived: dict[str, list[str]] = {}

    def answer(received: Received) -> Reply:
        if dice.random() < 0.3:
            return Reply(500)
        arrived.setdefault(received.data["test_id"], []).append(received.event)
        return Reply()

    receiver.answer = answer
    made = [await new_test(store, owner) for _ in range(6)]
    async with (
        running_dispatcher(database_url, trusted, clock) as one,
        running_dispatcher(database_url, trusted, clock) as other,
    ):
        for test_id in made:
            await move(store, test_id, "ready", "pending", "running", "completed")
        async with asyncio.timeout(60):
            while "pending" in {row.status for row in await deliveries(store, hook)}:
                if one.in_flight == other.in_flight == 0:  # or claims would run out
                    clock.forward(10)
                one.wake()
                other.wake()
                await asyncio.sleep(0.03)
    assert set(arrived) == set(map(str, made))
    for events in arrived.values():
        # One that was given up is missing; none comes after a later one.
        assert events == [event for event in EVENTS if event in events]


async def test_a_webhook_to_which_nothing_arrives_for_days_is_switched_off_with_the_reason(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    receiver.answer = lambda received: Reply(502)
    await emit(store, owner)
    await settled(store, hook, attempted(1))
    assert (await reloaded(store, hook)).failing_since is not None
    clock.forward(72 * 3600 - 60)
    running.wake()
    await settled(store, hook, attempted(2))
    assert (await reloaded(store, hook)).active
    test_id = await new_test(store, owner)
    clock.forward(120)
    running.wake()
    await settled(store, hook, attempted(3))
    await move(store, test_id, "ready")
    off = await reloaded(store, hook)
    assert not off.active
    assert off.disabled_reason == (
        "Nothing has arrived for 72 hours. The last answer had the status 502."
    )
    (row,) = await deliveries(store, hook)  # of the test it is not told any more
    assert (row.status, row.next_attempt_at) == ("failed", None)

    receiver.answer = lambda received: Reply()
    async with store.session() as session:
        on = await webhooks.change(session, hook.id, owner, {"active": True})
        assert (on.failing_since, on.disabled_reason) == (None, None)
    await emit(store, owner)
    await settled(store, hook, lambda rows: rows[-1].status == "delivered")


async def test_something_that_arrives_ends_a_time_of_failures(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    receiver.answer = lambda received: Reply(500)
    await emit(store, owner)
    await settled(store, hook, attempted(1))
    receiver.answer = lambda received: Reply()
    clock.forward(30)
    running.wake()
    await settled(store, hook, all_are("delivered"))
    assert (await reloaded(store, hook)).failing_since is None


async def test_what_is_in_the_outbox_of_a_webhook_that_is_switched_off_is_not_sent(
    store: Database, owner: UUID, receiver: Receiver, database_url: str, trusted: Path
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    await emit(store, owner)
    async with store.session() as session:
        await webhooks.change(session, hook.id, owner, {"active": False})
    (row,) = await deliveries(store, hook)
    assert (row.status, row.error) == (
        "failed",
        "The webhook was switched off before this was sent.",
    )
    async with running_dispatcher(database_url, trusted):
        async with store.session() as session:  # a test delivery is sent all the same
            now = row.created_at
            await outbox.enqueue(session, hook, "test.ready", '{"event":"x"}', now)
        await settled(store, hook, lambda rows: rows[-1].status == "delivered")
    assert receiver.events() == ["x"]


async def test_a_webhook_that_is_deleted_in_mid_delivery_disturbs_nobody(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher
) -> None:
    gone = await webhook(store, owner, url=receiver.url("/gone"))
    go_on = threading.Event()
    receiver.answer = lambda received: Reply(after=go_on)
    await emit(store, owner)
    await receiver.until(1)
    async with store.session() as session:
        await webhooks.delete(session, gone.id, owner)
    stays = await webhook(store, owner, url=receiver.url("/stays"))
    go_on.set()
    await emit(store, owner)
    await settled(store, stays, all_are("delivered"))
    await eventually(lambda: running.in_flight == 0)


async def test_after_a_rotation_both_secrets_sign_for_a_while(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    old = hook.secret
    async with store.session() as session:
        rotated = await webhooks.rotate_secret(
            session, hook.id, owner, now=clock(), overlap=timedelta(hours=24)
        )
    new = rotated.secret
    assert new != old
    receiver.answer = lambda received: Reply(401)
    await emit(store, owner)
    await settled(store, hook, attempted(1))
    receiver.answer = lambda received: Reply()
    clock.forward(30)
    running.wake()
    await settled(store, hook, all_are("delivered"))
    # Who reads only the first finds its own at one of two attempts.
    assert [one.signed_by(new, old) for one in receiver.requests] == [[0, 1], [1, 0]]
    clock.forward(24 * 3600)
    await emit(store, owner)
    await settled(store, hook, all_are("delivered"))
    assert (await receiver.until(3))[-1].signed_by(new, old) == [0]


async def test_old_deliveries_and_secrets_are_cleared_away(
    store: Database, owner: UUID, receiver: Receiver, database_url: str, trusted: Path, clock: Clock
) -> None:
    hook = await webhook(store, owner, url=receiver.url())
    async with running_dispatcher(database_url, trusted, clock):
        await emit(store, owner)
        await settled(store, hook, all_are("delivered"))
        receiver.answer = lambda received: Reply(500)
        await emit(store, owner, still="to be sent")
        await settled(store, hook, lambda rows: rows[1].attempts == 1)
        async with store.session() as session:
            await webhooks.rotate_secret(
                session, hook.id, owner, now=clock(), overlap=timedelta(hours=1)
            )
    clock.forward(31 * 24 * 3600)
    # Once it is given up, it is old as well.
    answer = threading.Event()
    receiver.answer = lambda received: Reply(500, after=answer)
    async with running_dispatcher(database_url, trusted, clock):
        rows = await settled(store, hook, lambda rows: len(rows) == 1)
        answer.set()
        async with asyncio.timeout(30):
            while (await reloaded(store, hook)).previous_secret is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.03)
    assert json.loads(rows[0].payload)["data"] == {"still": "to be sent"}


async def test_a_mistake_of_ours_is_an_attempt_that_failed(
    store: Database, owner: UUID, receiver: Receiver, running: Dispatcher
) -> None:
    hook = await webhook(store, owner, url="https://[broken")
    await emit(store, owner)
    (row,) = await settled(store, hook, attempted(1))
    assert "not a valid URL" in str(row.error)
    await eventually(lambda: running.in_flight == 0)
