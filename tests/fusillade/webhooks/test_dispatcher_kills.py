"""Dispatchers that are killed: nothing is lost, and repeats can be told as such."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import dispatchers
import pytest
from dispatchers import Clock, running_dispatcher
from outboxes import deliveries, move, new_test, organisation, settled, webhook
from receivers import Received, Receiver, Reply

import fusillade
from fusillade.storage.database import Database
from fusillade.storage.deliveries import CLAIM_SECONDS

STEPS = {
    "before the claim is committed": 0,
    "after the claim": 0,
    "while the receiver works": 1,
    "after the answer": 1,
    "before the result is committed": 1,
    "after the result is committed": 1,
}
"""Where it is killed, and how often the first message has come to the receiver then."""
EVENTS = ["test.ready", "test.started", "test.completed"]
SEARCH_PATH = os.pathsep.join([str(Path(fusillade.__file__).parents[1]), *sys.path])
"""The tests have a directory of the name of the package, which is found by itself only where it is
on the path."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_dispatcher_that_is_killed_loses_nothing(
    store: Database, receiver: Receiver, database_url: str, trusted: Path, step: str
) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner, url=receiver.url())
    await move(store, await new_test(store, owner), "ready", "pending", "running", "completed")
    arguments = [str(dispatchers.__file__), database_url, str(trusted), step]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=os.environ | {"PYTHONPATH": SEARCH_PATH}
    )

    def kill(received: Received) -> Reply:
        if step == "while the receiver works":
            os.kill(process.pid, signal.SIGKILL)
        return Reply()

    receiver.answer = kill
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL
    assert len(receiver.requests) == STEPS[step]
    assert len(await deliveries(store, hook)) == 3

    receiver.answer = lambda received: Reply()
    clock = Clock()
    clock.forward(CLAIM_SECONDS)
    async with running_dispatcher(database_url, trusted, clock):
        rows = await settled(store, hook, lambda rows: {r.status for r in rows} == {"delivered"})
    was_repeated = STEPS[step] == 1 and step != "after the result is committed"
    came = [one.delivery_id for one in receiver.requests]
    assert came == [str(rows[0].id)] * was_repeated + [str(row.id) for row in rows]
    assert [json.loads(row.payload)["event"] for row in rows] == EVENTS


async def test_what_a_killed_dispatcher_has_claimed_is_left_alone_until_its_claim_runs_out(
    store: Database, receiver: Receiver, database_url: str, trusted: Path
) -> None:
    owner = await organisation(store)
    hook = await webhook(store, owner, url=receiver.url())
    async with store.session() as session:
        await move(store, await new_test(store, owner), "ready")
        clock = Clock()
        (claimed,) = await dispatchers.deliveries.claim(session, {hook.id: 4}, clock())
    async with store.session() as session:
        assert await dispatchers.deliveries.claim(session, {hook.id: 4}, clock()) == []
        clock.forward(CLAIM_SECONDS)
        (again,) = await dispatchers.deliveries.claim(session, {hook.id: 4}, clock())
    assert again.delivery_id == claimed.delivery_id
    assert again.claim != claimed.claim
