"""The header ``Idempotency-Key``: a creation that is repeated creates nothing more.

A handler takes :data:`Once`, calls ``look`` before it checks anything at length, and ``claim`` and
``keep`` in the transaction that creates. What they raise for a repeated request becomes the first
answer.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Caller
from fusillade.errors import IdempotencyError
from fusillade.storage import idempotency
from fusillade.storage.idempotency import Repeated

_HEADER = "Idempotency-Key"
_MOST_CHARACTERS = 256


class _Once:
    """One creation, under the client's key if it has sent one; without one nothing happens here."""

    def __init__(self, key: str | None, endpoint: str) -> None:
        self._key = key
        self._endpoint = endpoint

    async def look(self, session: AsyncSession, caller: Caller) -> None:
        """Raises :class:`Repeated` if the same was created before, ``IdempotencyError``."""
        request = self._of(caller)
        if request is not None:
            await idempotency.look(session, request, datetime.now(UTC))

    async def claim(self, session: AsyncSession, caller: Caller) -> None:
        """Before anything is created: have others wait until it is. Raises as ``look``."""
        request = self._of(caller)
        if request is not None:
            await idempotency.claim(session, request, datetime.now(UTC))

    async def keep(
        self, session: AsyncSession, caller: Caller, resource_id: UUID, answer: BaseModel | None
    ) -> None:
        """Note what was created, and the answer (201) unless it is to follow."""
        request = self._of(caller)
        if request is not None:
            body = None if answer is None else answer.model_dump_json()
            await idempotency.keep(
                session,
                request,
                datetime.now(UTC),
                resource_id=resource_id,
                status=201,
                body=body,
            )

    async def answer(self, session: AsyncSession, caller: Caller, body: str) -> str:
        """The answer that was noted first, if this one was to follow; else ``body``."""
        request = self._of(caller)
        return body if request is None else await idempotency.answer(session, request, body)

    async def forget(self, session: AsyncSession, caller: Caller) -> None:
        """What was created is gone, and nobody was told of it."""
        request = self._of(caller)
        if request is not None:
            await idempotency.forget(session, request)

    def _of(self, caller: Caller) -> idempotency.Request | None:
        if self._key is None:
            return None
        return idempotency.Request(caller.organisation_id, self._key, self._endpoint)


def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=_HEADER,
            description="Any text that no other creation of the organisation has. The same again "
            "within 24 hours gets the first answer and creates nothing.",
            json_schema_extra={"minLength": 1, "maxLength": _MOST_CHARACTERS},
        ),
    ] = None,
) -> _Once:
    given = request.headers.getlist(_HEADER)
    if len(given) > 1:
        raise IdempotencyError("Send one Idempotency-Key, not several.")
    endpoint = f"{request.method} {request.scope['route'].path}"
    return _Once(_checked(given[0]) if given else None, endpoint)


Once = Annotated[_Once, Depends(_once)]


def _checked(header: str) -> str:
    """The key. Starlette reads headers as Latin-1, programs write them as UTF-8."""
    try:
        key = header.encode("latin-1").decode()
    except UnicodeDecodeError:
        key = header
    if not key.strip():
        raise IdempotencyError("The Idempotency-Key is empty: send a unique text, such as a UUID.")
    if len(key) > _MOST_CHARACTERS:
        raise IdempotencyError(
            f"The Idempotency-Key has more than {_MOST_CHARACTERS} characters: {len(key):,}."
        )
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in key):
        raise IdempotencyError("The Idempotency-Key has control characters in it.")
    return key


def install(app: FastAPI) -> None:
    """Answer a repeated request as the first one was answered."""

    @app.exception_handler(Repeated)
    async def repeated(request: Request, again: Repeated) -> Response:
        assert again.first.body is not None, "whoever lets an answer follow handles this as well"
        return Response(again.first.body, again.first.status, media_type="application/json")
