"""Many requests at once, and few connections to the database."""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from uuid import UUID

import httpx
from fastapi.routing import APIRoute

import api
from api.platform import _session


async def test_many_creations_at_once_do_not_wait_for_each_others_connections(
    owner: httpx.AsyncClient, poked: list[UUID]
) -> None:
    body = {"name": "Many", "script_content": "export default function () {}"}
    body |= {"workers": 1, "duration_seconds": 1}  # type: ignore[dict-item]
    template = (await owner.post("/api/v1/templates", json=body)).json()["id"]
    run = f"/api/v1/templates/{template}/run"
    answers = await asyncio.gather(*[owner.post(run) for _ in range(25)])
    assert [answer.status_code for answer in answers] == [201] * 25


def _routes() -> Iterator[APIRoute]:
    """All operations: those of the routers in the modules of the package ``api``."""
    for module in pkgutil.iter_modules(api.__path__):
        router = getattr(importlib.import_module(f"api.{module.name}"), "router", None)
        if router is not None:
            yield from (route for route in router.routes if isinstance(route, APIRoute))


def test_a_handler_that_takes_no_session_holds_none() -> None:
    """Its caller is found in a transaction that is over before it begins."""
    sharing, holding = [], []
    for route in _routes():
        own = {one.call for one in route.dependant.dependencies}
        theirs = {two.call for one in route.dependant.dependencies for two in one.dependencies}
        if _session in theirs:
            (sharing if _session in own else holding).append(f"{route.methods} {route.path}")
    assert sharing
    assert holding == []
