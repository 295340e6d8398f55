"""``/health`` and ``/health/deep``: whether this process answers, and whether all parts do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from actors import cluster_health, scheduler, webhook_dispatcher
from api.platform import Here, Platform
from fusillade import __version__

router = APIRouter(tags=["health"])

_SECONDS = 2.0
"""How long a part may take to answer."""

Facts = dict[str, Any] | None


class Alive(BaseModel):
    """The process that answers is there; nothing else has been asked."""

    status: Literal["ok"]
    version: str


class Part(BaseModel):
    """One part: what it said when it was asked, or why it is down."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "down", "not used"]
    latency_ms: float | None = None
    error: str | None = None


class Parts(BaseModel):
    """Everything that a platform needs; ``down`` if a part is."""

    status: Literal["ok", "down"]
    version: str
    database: Part
    ray: Part
    redis: Part
    scheduler: Part
    webhooks: Part


@router.get("/health")
async def health() -> Alive:
    """Answers without asking anything of anybody."""
    return Alive(status="ok", version=__version__)


@router.get(
    "/health/deep",
    response_model_exclude_unset=True,
    responses={
        503: {"model": Parts, "description": "A part is down; the answer has the same form."}
    },
)
async def deep(platform: Here, response: Response) -> Parts:
    """Asks the database, Ray, the Redis of Ray's control store if it has one, the scheduler, and
    who sends to webhooks: each with ``status`` (``ok``, ``down``, or ``not used``) and
    ``latency_ms``."""
    database, ray, redis, timetable, outbox = await asyncio.gather(
        _asked(platform, "database", platform.database.ping, cancel=True),
        _asked(platform, "ray", lambda: asyncio.to_thread(cluster_health.ask_ray)),
        _asked(platform, "redis", lambda: asyncio.to_thread(cluster_health.ask_redis)),
        _asked(platform, "scheduler", lambda: asyncio.to_thread(scheduler.ask)),
        _asked(platform, "webhooks", lambda: asyncio.to_thread(webhook_dispatcher.ask)),
    )
    parts = {
        "database": database,
        "ray": ray,
        "redis": redis,
        "scheduler": timetable,
        "webhooks": outbox,
    }
    is_well = all(part["status"] != "down" for part in parts.values())
    response.status_code = 200 if is_well else 503
    return Parts(
        status="ok" if is_well else "down",
        version=__version__,
        **{name: Part(**part) for name, part in parts.items()},
    )


async def _asked(
    platform: Platform, part: str, ask: Callable[[], Awaitable[Facts]], *, cancel: bool = False
) -> dict[str, Any]:
    """What a part answers within ``_SECONDS``.

    A part that hangs is asked once, however many want to know: what waits for it is a thread or a
    connection. ``cancel``: tell whoever asks to give up; that may take its time, too.
    """
    question = platform.questions.get(part)
    if question is None or question.done():
        question = platform.questions[part] = asyncio.create_task(_timed(ask))
    await asyncio.wait([question], timeout=_SECONDS)
    if not question.done():
        if cancel:
            question.cancel()
        return {"status": "down", "error": f"no answer within {_SECONDS:g} s"}
    if question.cancelled():
        return {"status": "down", "error": "it was not waited for any longer"}
    return question.result()


async def _timed(ask: Callable[[], Awaitable[Facts]]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        facts = await ask()
    except Exception as error:  # whatever it is: the part is of no use
        return {"status": "down", "error": type(error).__name__}
    latency = {"latency_ms": round((time.perf_counter() - began) * 1000, 3)}
    return {"status": "ok", **latency, **(facts or {})}
