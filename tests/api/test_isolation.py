"""Organisations see nothing of each other: all routes of the schema, walked.

A new resource is covered when its path parameter has a line in ``resources.MAKERS``; without one
this fails. Bodies are the examples of the schema.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from apis import Api
from resources import MAKERS, NO_IDENTIFIERS, body_of, identifiers, make_all
from stored import stored_test

PUBLIC = {
    "/health",
    "/health/deep",
    "/api/v1/auth/login",
    "/api/v1/invites/{token}",
    "/api/v1/invites/{token}/accept",
}


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in schema["paths"].items():
        if path not in PUBLIC:
            for method, operation in operations.items():
                yield method.upper(), path, operation


async def _send(
    client: httpx.AsyncClient, method: str, path: str, ids: dict[str, str], body: Any
) -> httpx.Response:
    query = {name: value for name, value in ids.items() if f"{{{name}}}" not in path}
    filled = path.format_map(NO_IDENTIFIERS | ids)
    return await client.request(method, filled, params=query, json=body)


@pytest.fixture
def schema(api: Api) -> dict[str, Any]:
    return api.app.openapi()


def test_every_identifier_of_the_schema_has_a_maker(schema: dict[str, Any]) -> None:
    named = {name for _, _, operation in _operations(schema) for name in identifiers(operation)}
    assert named <= set(MAKERS)


async def test_whatever_belongs_to_another_organisation_is_not_found(
    api: Api, schema: dict[str, Any], poked: list[UUID]
) -> None:
    ours, theirs = await api.user("us@acme.test"), await api.user("them@globex.test", "Globex")
    async with await api.log_in("us@acme.test") as us, await api.log_in("them@globex.test") as them:
        own = await make_all(api, us, ours)
        foreign = await make_all(api, them, theirs)
        poked.clear()
        wrong = []
        walked = set()
        for method, path, operation in _operations(schema):
            names = identifiers(operation)
            for name in names:
                # One of them is theirs, the others are our own.
                ids = {other: own[other] for other in names} | {name: foreign[name]}
                answer = await _send(us, method, path, ids, body_of(schema, operation))
                walked.add(name)
                if answer.status_code != 404 or answer.json()["code"] != "not_found":
                    wrong.append(f"{method} {path} with their {name}: {answer.text}")
        assert wrong == []
        assert walked == set(MAKERS)
        assert poked == []
        # Nothing of theirs has gone or changed hands: to them it is all there.
        for method, path, operation in _operations(schema):
            if method == "GET" and (names := identifiers(operation)) and "{name}" not in path:
                answer = await _send(them, method, path, {n: foreign[n] for n in names}, None)
                assert answer.status_code == 200, f"{path}: {answer.text}"


async def test_live_metrics_of_another_organisation_are_not_found(api: Api) -> None:
    await api.user("us@acme.test")
    theirs = await api.user("them@globex.test", "Globex")
    test = await stored_test(api.store, theirs)
    async with await api.log_in("us@acme.test") as us:
        token = us.headers["Authorization"].removeprefix("Bearer ")
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": f"/ws/runs/{test.id}",
        "query_string": f"token={token}".encode(),
        "headers": [],
        "subprotocols": [],
    }
    await api.app(scope, receive, send)
    accepted, told, closed = sent
    assert accepted["type"] == "websocket.accept"
    assert json.loads(told["text"])["code"] == "not_found"
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_lists_show_nothing_of_another_organisation(
    api: Api, schema: dict[str, Any], poked: list[UUID]
) -> None:
    await api.user("us@acme.test")
    theirs = await api.user("them@globex.test", "Globex")
    async with await api.log_in("us@acme.test") as us, await api.log_in("them@globex.test") as them:
        foreign = await make_all(api, them, theirs)
        for method, path, operation in _operations(schema):
            if method == "GET" and not identifiers(operation):
                answer = await us.get(path)
                assert answer.status_code == 200, f"{path}: {answer.text}"
                shown = [name for name, value in foreign.items() if value in answer.text]
                assert shown == [], path


async def test_without_a_credential_everything_that_is_not_public_is_invalid_auth(
    api: Api, schema: dict[str, Any]
) -> None:
    async with api.client() as anybody:
        for method, path, operation in _operations(schema):
            ids = {name: str(uuid4()) for name in identifiers(operation)}
            answer = await _send(anybody, method, path, ids, body_of(schema, operation))
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth"), path
