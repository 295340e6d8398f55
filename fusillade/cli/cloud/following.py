"""A test's live messages over the WebSocket, through lost connections, to its end."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from fusillade.cli.cloud.account import is_loopback
from fusillade.cli.cloud.server import ApiError, Server, Unreachable, part
from fusillade.errors import NotFound

ENDED = ("completed", "failed", "stopped", "cancelled")
_HEARTBEAT_SECONDS = 20.0
_FIRST_DELAY_SECONDS = 0.25
_LONGEST_DELAY_SECONDS = 5.0
_GIVE_UP_SECONDS = 300.0


async def follow(
    server: Server,
    test_id: str,
    tell: Callable[[dict[str, Any]], None],
    lost: Callable[[], None],
) -> None:
    """Return when the test has ended. ``tell`` is called with each message, once; ``lost`` when the
    connection is gone and is going to be made again.

    Raises :class:`ApiError` where the API refuses, :class:`NotFound` for a test that was deleted,
    :class:`Unreachable` when there was no answer for five minutes.
    """
    address = f"{server.account.url.replace('http', 'ws', 1)}/ws/runs/{part(test_id)}"
    after: int | None = None
    silent_since: float | None = None
    delay = _FIRST_DELAY_SECONDS
    async with aiohttp.ClientSession(trust_env=not is_loopback(server.account.url)) as http:
        while True:
            query = {} if after is None else {"after": str(after)}
            try:
                async with http.ws_connect(
                    address,
                    params=query,
                    protocols=("auth", server.account.key),
                    heartbeat=_HEARTBEAT_SECONDS,
                    max_msg_size=0,
                ) as socket:
                    async for frame in socket:
                        if frame.type is not aiohttp.WSMsgType.TEXT:
                            break
                        message = json.loads(frame.data)
                        silent_since, delay = None, _FIRST_DELAY_SECONDS
                        if message["type"] == "error":
                            raise _refused(message)
                        if message["type"] == "metric":
                            after = message["elapsed_seconds"]
                        tell(message)
                        if message["type"] == "summary":
                            return
                    if socket.close_code == aiohttp.WSCloseCode.OK:
                        raise NotFound("The test was deleted.")
            except (aiohttp.ClientError, OSError, ValueError):
                pass  # the API is asked below, and says what is wrong
            if silent_since is None:
                silent_since = time.monotonic()
                lost()
            try:
                test = (await asyncio.to_thread(server.get, f"/api/v1/tests/{part(test_id)}")).data
                silent_since = time.monotonic()
                if test["status"] in ENDED:
                    return
            except ApiError as error:
                if error.status < 500 and error.status != 429:
                    raise
            except Unreachable:
                if time.monotonic() - silent_since > _GIVE_UP_SECONDS:
                    raise
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)


def _refused(message: dict[str, Any]) -> ApiError:
    raw = json.dumps({"error": message["error"], "code": message["code"]}).encode()
    return ApiError(message["error"], message["code"], 400, raw)
