"""What the schema's path parameters may identify, made through the API and the database.

A new resource is covered when its path parameter has a line in ``MAKERS``.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
from apis import Api
from stored import stored_test

from fusillade.storage.models import User

Make = Callable[[Api, httpx.AsyncClient, User], Awaitable[str]]


async def _test(api: Api, client: httpx.AsyncClient, user: User) -> str:
    return str((await stored_test(api.store, user)).id)


async def _colleague(api: Api, client: httpx.AsyncClient, user: User) -> str:
    return str((await api.colleague(user, f"{uuid4().hex}@colleagues.test")).id)


async def _invitation(api: Api, client: httpx.AsyncClient, user: User) -> str:
    body = {"email": f"{uuid4().hex}@invited.test"}
    return await _created(client, "/api/v1/team/invite", body)


def _example_of(path: str) -> Make:
    """What a POST of the schema's example creates."""

    async def make(api: Api, client: httpx.AsyncClient, user: User) -> str:
        schema = api.app.openapi()
        return await _created(client, path, body_of(schema, schema["paths"][path]["post"]))

    return make


async def _created(client: httpx.AsyncClient, path: str, body: Any) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


MAKERS: dict[str, Make] = {
    "test_id": _test,
    "baseline_id": _test,
    "test_ids": _test,
    "user_id": _colleague,
    "invite_id": _invitation,
    "key_id": _example_of("/api/v1/keys"),
    "template_id": _example_of("/api/v1/templates"),
    "schedule_id": _example_of("/api/v1/schedules"),
    "webhook_id": _example_of("/api/v1/webhooks"),
}
"""For each parameter that is an identifier: how to make what it identifies; returns its id."""

NO_IDENTIFIERS = {"name": "summary.html"}
"""Path parameters that identify something only below an identifier."""


def identifiers(operation: dict[str, Any]) -> list[str]:
    """Names of the parameters that are identifiers."""
    return [
        parameter["name"]
        for parameter in operation.get("parameters", ())
        if (parameter["in"] == "path" and parameter["name"] not in NO_IDENTIFIERS)
        or parameter["name"].endswith(("_id", "_ids"))
    ]


def body_of(schema: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The example of the operation's JSON body; None if it has no such body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    body = content["schema"]
    for choice in (body, *body.get("anyOf", ())):
        if "$ref" in choice:
            body = schema["components"]["schemas"][choice["$ref"].rpartition("/")[2]]
    return body.get("examples", [{}])[0]


async def make_all(api: Api, client: httpx.AsyncClient, user: User) -> dict[str, str]:
    """One of each, by the parameter's name."""
    return {name: await make(api, client, user) for name, make in MAKERS.items()}
