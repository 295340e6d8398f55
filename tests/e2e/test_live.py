"""Live metrics over the WebSocket."""

import asyncio
import json
import os
import re
import shutil
from typing import Any

import pytest
from client import Client
from platforms import Platform
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

SCRIPT = "export default function () { check(1, { one: (x) => x === 1 }); sleep(0.05); }"


def address(platform: Platform, test_id: str) -> str:
    return f"{platform.url.replace('http', 'ws', 1)}/ws/runs/{test_id}"


async def listen(url: str, **options: Any) -> tuple[list[dict[str, Any]], int | None]:
    """All messages until the connection is closed, and the code it was closed with."""
    messages = []
    async with asyncio.timeout(60), connect(url, proxy=None, **options) as socket:
        try:
            while True:
                messages.append(json.loads(await socket.recv()))
        except ConnectionClosed:
            return messages, socket.close_code


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """``metric``, ``status:running`` and so on."""
    return [
        f"status:{message['status']}" if message["type"] == "status" else message["type"]
        for message in messages
    ]


async def test_a_listener_from_the_start_is_told_everything(
    platform: Platform, user: Client
) -> None:
    test_id = user.create(SCRIPT, workers=3, duration=3)["test_id"]
    listening = asyncio.create_task(
        listen(address(platform, test_id), subprotocols=["auth", user.token])
    )
    await asyncio.sleep(0.5)
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/start")
    messages, code = await listening
    assert code == 1000
    told = kinds(messages)
    assert told[0] == "status:ready"
    assert told[-2:] == ["status:completed", "summary"]
    states = [kind for kind in told if kind.startswith("status")]
    assert states == ["status:ready", "status:pending", "status:running", "status:completed"]
    metrics = [message for message in messages if message["type"] == "metric"]
    assert [metric["elapsed_seconds"] for metric in metrics] == [1, 2, 3]
    assert metrics[1]["active_workers"] == 3
    assert metrics[1]["checks"]["passes"] > metrics[0]["checks"]["passes"] > 0
    summary = messages[-1]["summary"]
    # What ends after the last full second is told by the summary alone.
    assert summary["iterations"] >= metrics[-1]["iterations"] > metrics[1]["iterations"]
    assert {message["test_id"] for message in messages} == {test_id}


async def test_a_host_that_cannot_keep_up_is_told_of_while_it_runs_and_at_the_end(
    platform: Platform, user: Client
) -> None:
    script = """
      export default function () {
        const end = Date.now() + 300;
        while (Date.now() < end);
        sleep(0.001);
      }"""
    test_id = user.create(script, workers=2, duration=7)["test_id"]
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/start")
    async with (
        asyncio.timeout(60),
        connect(f"{address(platform, test_id)}?token={user.token}", proxy=None) as socket,
    ):
        message: dict[str, Any] = {}
        while not message.get("warnings"):
            message = json.loads(await socket.recv())
            assert message["type"] != "summary"
    workers: list[dict[str, Any]] = [{}]
    while not workers[0].get("overloaded"):
        found = await asyncio.to_thread(user.get, f"/api/v1/tests/{test_id}/workers")
        workers = found["workers"]
        assert [worker["state"] for worker in workers] == ["running"]
        await asyncio.sleep(0.1)
    done = await asyncio.to_thread(user.until, test_id, "completed")
    for warning in (*message["warnings"], *done["summary"]["warnings"]):
        assert warning.startswith("WorkerActor 1 of 1 could not keep up for ")


async def test_who_comes_late_gets_the_present_state_first(
    platform: Platform, user: Client
) -> None:
    test_id = user.create(SCRIPT, workers=1, duration=4)["test_id"]
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/start")
    await asyncio.sleep(2.5)
    messages, code = await listen(f"{address(platform, test_id)}?token={user.token}")
    told = kinds(messages)
    assert told[:2] == ["status:running", "metric"]
    assert told[-2:] == ["status:completed", "summary"]
    assert code == 1000


async def test_who_comes_after_the_end_gets_the_summary_and_a_clean_close(
    platform: Platform, user: Client
) -> None:
    test = user.run(SCRIPT)
    messages, code = await listen(
        address(platform, test["id"]), subprotocols=["auth", platform.key("test:read")]
    )
    assert kinds(messages) == ["status:completed", "summary"]
    assert messages[-1]["summary"] == test["summary"]
    assert code == 1000


BROWSER = """
// Pass token via Sec-WebSocket-Protocol header as ['auth', '<token>']
const ws = new WebSocket(
  'wss://api.fusillade.io/ws/runs/<test_id>',
  ['auth', '<your_jwt_token>']
);

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  // data.type: "metric" | "status" | "summary"
  console.log(data);
};
"""
"""The reference's example "Connect (Browser)", as printed."""


@pytest.mark.skipif(shutil.which("node") is None, reason="the reference's example is JavaScript")
async def test_the_references_program_for_browsers_gets_every_type_of_message(
    platform: Platform, user: Client
) -> None:
    test_id = user.create(SCRIPT, duration=2)["test_id"]
    program = (
        BROWSER.replace("wss://api.fusillade.io", platform.url.replace("http", "ws", 1))
        .replace("<test_id>", test_id)
        .replace("<your_jwt_token>", user.token)
    )
    # Before version 22 Node.js has the class only with this flag, and then knows the flag.
    node = await asyncio.create_subprocess_exec(
        *("node", "--experimental-websocket", "-e", program),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1"},
    )
    assert node.stdout is not None
    first = await node.stdout.readuntil(b"status: 'ready'")
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/start")
    rest, _ = await asyncio.wait_for(node.communicate(), 60)
    assert node.returncode == 0
    printed = (first + rest).decode()
    found = re.findall(r"^  type: '(\w+)'", printed, re.MULTILINE)
    assert set(found) == {"status", "metric", "summary"}
    assert (found[0], found[-1]) == ("status", "summary")


async def test_two_listeners_see_the_same(platform: Platform, user: Client) -> None:
    test_id = user.create(SCRIPT, workers=2, duration=2)["test_id"]
    both = [
        asyncio.create_task(listen(address(platform, test_id), subprotocols=["auth", user.token]))
        for _ in range(2)
    ]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/start")
    (first, _), (second, _) = await asyncio.gather(*both)
    metrics = [[m for m in messages if m["type"] == "metric"] for messages in (first, second)]
    assert metrics[0] == metrics[1] != []


async def test_a_cancelled_test_ends_the_connection(platform: Platform, user: Client) -> None:
    test_id = user.create(SCRIPT)["test_id"]
    listening = asyncio.create_task(
        listen(address(platform, test_id), subprotocols=["auth", user.token])
    )
    await asyncio.sleep(0.5)
    await asyncio.to_thread(user.post, f"/api/v1/tests/{test_id}/stop")
    messages, code = await listening
    assert kinds(messages)[-2:] == ["status:cancelled", "summary"]
    assert messages[-1]["summary"] is None
    assert code == 1000


@pytest.mark.parametrize(
    ("token", "test_id", "code", "closed"),
    [
        ("wrong", None, "invalid_auth", 4401),
        (None, None, "invalid_auth", 4401),
        ("right", "550e8400-e29b-41d4-a716-446655440000", "not_found", 4404),
        ("right", "nonsense", "not_found", 4404),
    ],
)
async def test_a_refused_listener_is_told_why(
    platform: Platform, user: Client, token: str | None, test_id: str | None, code: str, closed: int
) -> None:
    test_id = test_id or user.run(SCRIPT)["id"]
    query = "" if token is None else f"?token={user.token if token == 'right' else token}"
    messages, close_code = await listen(address(platform, test_id) + query)
    assert [message["code"] for message in messages] == [code]
    assert close_code == closed
