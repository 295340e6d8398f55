"""``/ws/runs/:test_id``: live metrics of one test.

Messages are JSON objects with ``type``: ``status`` (first the present state, then each change),
``metric`` (once a second; the newest at once), and at the end ``summary``, after which the
connection is closed with 1000; so it is when the test is deleted. What is told comes from the
test's aggregator; the test's row has the last word, so a listener misses nothing when an actor is
restarted. Who comes back with ``?after=`` and the ``elapsed_seconds`` of the last message gets
those that came since, as far as the last ten minutes go.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import ray
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from ray.exceptions import RayError

from actors import names
from api.authentication import identify
from api.platform import HereSocket, Platform
from fusillade.errors import FusilladeError, InvalidAuth, NotFound, ValidationFailed
from fusillade.metrics.live import status_message, summary_message
from fusillade.storage import tests
from fusillade.storage.models import Test
from fusillade.storage.pauses import is_paused

router = APIRouter()

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.3
_MOST_DIGITS = 9
_CLOSE_CODES = {
    "validation_error": 4400,
    "invalid_auth": 4401,
    "insufficient_scope": 4403,
    "not_found": 4404,
}
"""What a refused connection is closed with: 4000 and the HTTP status."""


@router.websocket("/ws/runs/{test_id}")
async def runs(websocket: WebSocket, test_id: str, platform: HereSocket) -> None:
    """Live metrics, to whoever may read the test."""
    credential, subprotocol = _credential(websocket)
    await websocket.accept(subprotocol=subprotocol)
    try:
        test = await _find(platform, test_id, credential)
        after = _after(websocket)
    except FusilladeError as error:
        await _send(websocket, {"type": "error", "error": error.message, "code": error.code})
        await websocket.close(_CLOSE_CODES.get(error.code, 1011), error.message[:120])
        return
    telling = asyncio.create_task(_tell(websocket, platform, test, after))
    listening = asyncio.create_task(_until_gone(websocket))
    try:
        await asyncio.wait({telling, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (telling, listening):
            task.cancel()
        results = await asyncio.gather(telling, listening, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            _log.error("live metrics of %s", test.id, exc_info=result)
            with contextlib.suppress(RuntimeError):
                await websocket.close(1011, "The server failed; connect again.")


def _credential(websocket: WebSocket) -> tuple[str | None, str | None]:
    """Token and the subprotocol to agree to: ``auth, <token>``, or ``?token=``."""
    offered = websocket.scope.get("subprotocols", [])
    if offered and offered[0] == "auth":
        return (offered[1] if len(offered) > 1 else None), "auth"
    return websocket.query_params.get("token"), None


def _after(websocket: WebSocket) -> int | None:
    """The second up to which the listener has been told, if it has come back."""
    given = websocket.query_params.get("after")
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal() or len(given) > _MOST_DIGITS:
        raise ValidationFailed(
            "The parameter after is wrong: give the elapsed_seconds of the last message."
        )
    return int(given)


async def _find(platform: Platform, test_id: str, credential: str | None) -> Test:
    if not credential:
        raise InvalidAuth("Send the token as the subprotocol 'auth, <token>' or as ?token=.")
    async with platform.database.session() as session:
        caller = await identify(session, platform, credential)
        caller.need("test:read")
        try:
            return await tests.get(session, UUID(test_id), caller.organisation_id)
        except ValueError as error:
            raise tests.not_found(test_id) from error


async def _until_gone(websocket: WebSocket) -> None:
    """What clients send is read and means nothing; this ends when they leave."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _tell(websocket: WebSocket, platform: Platform, test: Test, after: int | None) -> None:
    test_id = str(test.id)
    told = None
    while True:
        state = (test.status, is_paused(test))
        if state != told:
            told = state
            await _send(
                websocket, status_message(test_id, test.status, test.reason, paused=state[1])
            )
        if test.status in tests.ENDED:
            await _send(websocket, summary_message(test_id, test.status, test.reason, test.summary))
            await websocket.close(1000)
            return
        async for message in _follow(test_id, after):
            if message["type"] == "metric":
                if after is not None and message["elapsed_seconds"] <= after:
                    continue
                after = message["elapsed_seconds"]
            if message["type"] == "status":
                state = (message["status"], message["paused"])
                if state == told:
                    continue
                told = state
            await _send(websocket, message)
        # The aggregator is not there yet, is being restarted, or has said all.
        await asyncio.sleep(_RETRY_SECONDS)
        try:
            async with platform.database.session() as session:
                test = await tests.by_id(session, test.id)
        except NotFound:
            await websocket.close(1000, "The test was deleted.")
            return


async def _follow(test_id: str, after: int | None) -> AsyncIterator[dict[str, Any]]:
    """What the test's aggregator tells, until it ends for whatever reason."""
    try:
        handle = ray.get_actor(names.metrics(test_id), namespace=names.NAMESPACE)
    except ValueError:
        return
    stream: Any = handle.follow.options(num_returns="streaming").remote(after)
    try:
        async for reference in stream:
            yield await reference
    except RayError as error:
        _log.info("the aggregator of %s: %s", test_id, error)
    finally:
        ray.cancel(stream)


async def _send(websocket: WebSocket, message: dict[str, Any]) -> None:
    await websocket.send_text(msgspec.json.encode(message).decode())
