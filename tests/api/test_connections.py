"""Many requests at once, and few connections to the database."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute

from api import app
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
    """All operations: those of the routers that the application includes."""
    for module in vars(app).values():
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
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
