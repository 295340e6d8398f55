"""Errors as the contract has them: ``{"error": sentence, "code": code}``."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fusillade.errors import FusilladeError, InternalError, NotFound, ValidationFailed

_log = logging.getLogger(__name__)
_WHERE = ("body", "query", "path", "header")

SCHEMA = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {
        "error": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "What programs go by."},
    },
}
"""Every error as OpenAPI has it; ``#/components/schemas/Error``."""


def documented(*errors: type[FusilladeError]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an operation that may raise these.

    Name those that are the operation's own. What follows from its scope, parameters and limits
    (``invalid_auth``, ``insufficient_scope``, ``validation_error``, ``rate_limited``,
    ``internal_error``) is added to the schema by :mod:`api.openapi`.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        response = responses.setdefault(
            error.http_status,
            {
                "description": "",
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/Error"},
                        "examples": {},
                    }
                },
            },
        )
        response["description"] += (
            f"{' ' if response['description'] else ''}`{error.code}`: {meaning}"
        )
        response["content"]["application/json"]["examples"][error.code] = {
            "value": {"error": meaning, "code": error.code}
        }
    return responses


def install(app: FastAPI) -> None:
    """Give every error that a client can see this form."""

    @app.exception_handler(FusilladeError)
    async def known(request: Request, error: FusilladeError) -> JSONResponse:
        if error.http_status >= 500:
            _log.error("%s %s: %s", request.method, request.url.path, error.message)
        return _answer(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(ValidationFailed(describe(error.errors())))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, FusilladeError):  # raised while FastAPI read the body
            return _answer(error.__cause__)
        if error.status_code == 404:
            return _answer(NotFound(f"There is nothing at {request.url.path}."))
        if error.status_code == 405:
            failure = ValidationFailed(
                f"{request.url.path} does not take {request.method}; it takes "
                f"{(error.headers or {}).get('Allow', 'another method')}."
            )
            return _answer(failure, status=405, headers=error.headers)
        return _answer(ValidationFailed(str(error.detail)))

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        # Starlette logs the exception with its trace.
        return _answer(InternalError("The server failed; try again in a moment."))


def describe(problems: Sequence[Any]) -> str:
    """What pydantic found wrong, as sentences."""
    sentences = []
    for problem in problems:
        place = [str(part) for part in problem["loc"] if part not in _WHERE]
        name = ".".join(place)
        words = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "missing":
            sentences.append(f"{name or 'The body'} is missing.")
        elif problem["type"] == "json_invalid":
            sentences.append("The body is not valid JSON.")
        else:
            words = words[0].lower() + words[1:]
            sentences.append(f"{name}: {words}." if name else f"{words.capitalize()}.")
    return " ".join(sentences)


def _answer(
    error: FusilladeError, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    message = error.message.encode("utf-8", "replace").decode()  # it may quote half a character
    return JSONResponse(
        {"error": message, "code": error.code},
        status_code=status or error.http_status,
        headers=dict(headers or {}),
    )
