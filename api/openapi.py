"""The schema at ``/openapi.json``: what FastAPI finds out, and what all operations share."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import examples, structs
from api.errors import SCHEMA, documented
from fusillade.errors import (
    InsufficientScope,
    InternalError,
    InvalidAuth,
    RateLimited,
    ValidationFailed,
)

_RETRY = {
    "Retry-After": {
        "description": "Seconds until the next window begins.",
        "schema": {"type": "integer"},
    }
}
_METHODS = ("get", "post", "put", "patch", "delete")


def operation_id(route: APIRoute) -> str:
    """What client generators call an operation: its tag and what it does, ``webhooks_create``."""
    tag = str(route.tags[0]).lower().replace(" ", "_") if route.tags else route.name
    if route.name == tag:
        return tag
    return f"{tag}_{route.name.removesuffix('_' + tag.rpartition('_')[2])}"


def install(app: FastAPI) -> None:
    """Have ``app`` answer with the completed schema."""
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made_by_fastapi())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    structs.resolve(schema)
    examples.add(schemas)
    for path, operations in schema["paths"].items():
        for method in _METHODS:
            if method in operations:
                _complete_operation(path, operations[method])


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    """Name the scope, and the errors that follow from what the operation takes."""
    responses = operation["responses"]
    responses.pop("422", None)  # ours is 400
    errors: list[Any] = []
    if "parameters" in operation or "requestBody" in operation:
        errors.append(ValidationFailed)
    for requirement in operation.get("security", ()):
        errors += [InvalidAuth, InsufficientScope]
        scope = requirement["bearer"][0]
        described = operation.get("description", "")
        operation["description"] = f"{described}\n\nScope: `{scope}`".strip()
    if path != "/health":
        errors += [RateLimited, InternalError]
    for status, response in documented(*errors).items():
        known = responses.setdefault(str(status), response)
        if known is not response:
            _merge(known, response)
    if "429" in responses:
        responses["429"]["headers"] = _RETRY


def _merge(known: dict[str, Any], more: dict[str, Any]) -> None:
    examples = known["content"]["application/json"]["examples"]
    for code, example in more["content"]["application/json"]["examples"].items():
        if code not in examples:
            examples[code] = example
            known["description"] += f" `{code}`: {example['value']['error']}"
