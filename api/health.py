"""``/health`` and ``/health/deep``: whether this process answers, and whether all parts do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from actors import cluster_health
from api.platform import Here
from fusillade import __version__

router = APIRouter(tags=["health"])

_SECONDS = 2.0
"""How long a part may take to answer."""


@router.get("/health")
async def health() -> dict[str, str]:
    """Answers without asking anything of anybody."""
    return {"status": "ok", "version": __version__}


@router.get(
    "/health/deep",
    responses={503: {"description": "A part is down; the answer has the same form."}},
)
async def deep(platform: Here) -> JSONResponse:
    """Asks the database, Ray, and the Redis of Ray's control store if it has one: each with
    ``status`` (``ok``, ``down``, or ``not used``) and ``latency_ms``."""
    database, ray, redis = await asyncio.gather(
        _asked(platform.database.ping),
        _asked(lambda: asyncio.to_thread(cluster_health.ask_ray)),
        _asked(lambda: asyncio.to_thread(cluster_health.ask_redis)),
    )
    parts = {"database": database, "ray": ray, "redis": redis}
    is_well = all(part["status"] != "down" for part in parts.values())
    return JSONResponse(
        {"status": "ok" if is_well else "down", "version": __version__, **parts},
        status_code=200 if is_well else 503,
    )


async def _asked(ask: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_SECONDS):
            facts = await ask()
    except TimeoutError:
        return {"status": "down", "error": f"no answer within {_SECONDS:g} s"}
    except Exception as error:  # whatever it is: the part is of no use
        return {"status": "down", "error": type(error).__name__}
    latency = {"latency_ms": round((time.perf_counter() - began) * 1000, 3)}
    return {"status": "ok", **latency, **(facts or {})}
