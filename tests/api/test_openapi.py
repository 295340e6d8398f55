"""The schema at ``/openapi.json``, and the pages at ``/docs``."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import jsonschema_rs
import pytest
from apis import Api
from stored import measured_test

from fusillade.storage.models import User


@pytest.fixture
async def schema(owner: httpx.AsyncClient) -> Any:
    return (await owner.get("/openapi.json")).json()


def _operations(schema: Any) -> Iterator[tuple[str, Any]]:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def _bodies(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every JSON body that is sent or answered with success: where, and its schema."""
    for name, operation in _operations(schema):
        messages = {"request": operation.get("requestBody", {})} | {
            status: response
            for status, response in operation["responses"].items()
            if status.startswith("2")
        }
        for message, described in messages.items():
            body = described.get("content", {}).get("application/json")
            if body is not None:
                yield f"{name}, {message}", body["schema"]


def _named(schema: Any, body: Any) -> list[Any]:
    """The components that a body may be."""
    names = [one["$ref"] for one in (body, *body.get("anyOf", ())) if "$ref" in one]
    return [schema["components"]["schemas"][name.rpartition("/")[2]] for name in names]


async def test_every_operation_has_a_name_of_its_own_for_client_generators(schema: Any) -> None:
    names = [operation["operationId"] for _, operation in _operations(schema)]
    assert len(names) == len(set(names))
    assert [name for name in names if re.fullmatch("[a-z]+(_[a-z]+)*", name) is None] == []
    assert {"tests_create", "webhooks_list_deliveries", "api_keys_list"} <= set(names)


async def test_every_body_is_described_field_by_field_and_has_an_example(schema: Any) -> None:
    bare = [where for where, body in _bodies(schema) if _named(schema, body) == []]
    assert bare == ["POST /api/v1/tests/validate, request"]  # its one field stands there
    for where, body in _bodies(schema):
        for named in _named(schema, body):
            assert "properties" in named, where
            assert "examples" in named, where


async def test_every_example_is_what_its_schema_describes(schema: Any) -> None:
    for name, described in schema["components"]["schemas"].items():
        refer = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        validator = jsonschema_rs.Draft202012Validator(refer, validate_formats=True)
        for example in described.get("examples", ()):
            found = [
                f"{name}.{error.instance_path}: {error}" for error in validator.iter_errors(example)
            ]
            assert found == []
            unknown = set(example) - set(described["properties"])
            assert (name, unknown) == (name, set())


async def test_every_field_of_a_test_with_results_is_described(
    api: Api, owner: httpx.AsyncClient, schema: Any
) -> None:
    user_id = UUID((await owner.get("/api/v1/me")).json()["id"])
    async with api.store.session() as session:
        user = await session.get(User, user_id)
    assert user is not None
    test = await measured_test(api.store, user)
    shown = (await owner.get(f"/api/v1/tests/{test.id}")).json()
    parts = {
        "ShownTest": shown,
        "Metrics": shown["metrics"],
        "Summary": shown["summary"],
        "Endpoint": shown["summary"]["endpoints"][0],
        "CheckResult": shown["summary"]["checks"][0],
        "RegionResult": shown["summary"]["by_region"][0],
        "SeriesPoint": shown["series"][0],
        "RegionPoint": shown["series"][0]["by_region"][0],
    }
    for name, part in parts.items():
        assert set(part) == set(schema["components"]["schemas"][name]["properties"]), name


async def test_the_documentation_page_loads_nothing_from_elsewhere(
    owner: httpx.AsyncClient,
) -> None:
    page = (await owner.get("/docs")).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 3
    for path in loaded:
        assert path.startswith("/docs/")
        assert (await owner.get(path)).status_code == 200
    assert "'/openapi.json'" in page
    assert "https://" not in page
    assert '"validatorUrl": null' in page


async def test_every_operation_names_its_scope_and_its_errors(owner: httpx.AsyncClient) -> None:
    schema = (await owner.get("/openapi.json")).json()
    create = schema["paths"]["/api/v1/keys"]["post"]
    assert create["security"] == [{"bearer": ["full"]}]
    assert "Scope: `full`" in create["description"]
    described = {
        code
        for response in create["responses"].values()
        for content in response.get("content", {}).values()
        for code in content.get("examples", {})
    }
    assert described >= {"invalid_auth", "insufficient_scope", "validation_error", "rate_limited"}


async def test_every_operation_with_a_credential_has_scope_and_codes(schema: Any) -> None:
    for name, operation in _operations(schema):
        if "security" in operation:
            (scope,) = operation["security"][0]["bearer"]
            assert f"Scope: `{scope}`" in operation["description"], name
            assert {"401", "403", "429", "500"} <= set(operation["responses"]), name
        if "_id}" in name and "security" in operation:
            codes = operation["responses"]["404"]["content"]["application/json"]["examples"]
            assert "not_found" in codes, name


async def test_no_operation_announces_a_422(schema: Any) -> None:
    for name, operation in _operations(schema):
        assert "422" not in operation["responses"], name


async def test_an_email_with_a_nul_character_is_nobodys(owner: httpx.AsyncClient) -> None:
    body = {"email": "a\0@b.test", "password": "x"}
    answer = await owner.post("/api/v1/auth/login", json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")
