"""Creations that a client may repeat: what was answered under which key.

The row of a key is stored in the transaction that creates the resource. So there is no moment at
which one is there without the other, and a creation that fails leaves its key unused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade.errors import IdempotencyError
from fusillade.storage.models import IdempotencyKey

_LIFETIME = timedelta(hours=24)
_MOST_EXPIRED = 100
"""How many expired keys go with a new one."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to create something, under a key of its organisation."""

    organisation_id: UUID
    key: str
    endpoint: str
    """Method and path: ``POST /api/v1/tests``."""


@dataclass(frozen=True, slots=True)
class First:
    """What came of the first request."""

    resource_id: UUID
    status: int
    body: str | None
    """JSON; None as long as the answer is to follow."""


class Repeated(Exception):
    """The request has been made before."""

    def __init__(self, first: First) -> None:
        super().__init__(str(first.resource_id))
        self.first = first


async def look(session: AsyncSession, request: Request, now: datetime) -> None:
    """Raises :class:`Repeated` if something was created under the key in the last 24 hours,
    :class:`IdempotencyError` if that was at another endpoint."""
    first = await session.scalar(
        select(IdempotencyKey).where(_is(request), IdempotencyKey.created_at > now - _LIFETIME)
    )
    if first is None:
        return
    if first.endpoint != request.endpoint:
        raise IdempotencyError(
            f"This Idempotency-Key was used for {first.endpoint} in the last 24 hours: use "
            f"another one for {request.endpoint}."
        )
    raise Repeated(First(first.resource_id, first.status, first.body))


async def claim(session: AsyncSession, request: Request, now: datetime) -> None:
    """Keep others with the same key waiting until this transaction ends, then :func:`look`.

    Call it before any other lock is taken, and :func:`keep` in the same transaction.
    """
    name = f"{request.organisation_id} {request.key}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    expired = IdempotencyKey.created_at <= now - _LIFETIME
    await session.execute(delete(IdempotencyKey).where(_is(request), expired))
    others = (
        select(IdempotencyKey.organisation_id, IdempotencyKey.key)
        .where(expired)
        .limit(_MOST_EXPIRED)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        delete(IdempotencyKey).where(
            tuple_(IdempotencyKey.organisation_id, IdempotencyKey.key).in_(others)
        )
    )
    await look(session, request, now)


async def keep(
    session: AsyncSession,
    request: Request,
    now: datetime,
    *,
    resource_id: UUID,
    status: int,
    body: str | None,
) -> None:
    """Note what was created. ``body``: JSON; None if the answer is to follow (:func:`answer`)."""
    session.add(
        IdempotencyKey(
            organisation_id=request.organisation_id,
            key=request.key,
            endpoint=request.endpoint,
            resource_id=resource_id,
            status=status,
            body=body,
            created_at=now,
        )
    )
    await session.flush()


async def answer(session: AsyncSession, request: Request, body: str) -> str:
    """Note the answer that was to follow; returns the one that was noted first."""
    noted = await session.scalar(
        update(IdempotencyKey)
        .where(_is(request))
        .values(body=func.coalesce(IdempotencyKey.body, body))
        .returning(IdempotencyKey.body)
    )
    return body if noted is None else noted


async def forget(session: AsyncSession, request: Request) -> None:
    """Make the key unused again: what was created is gone before there was an answer."""
    await session.execute(delete(IdempotencyKey).where(_is(request), IdempotencyKey.body.is_(None)))


def _is(request: Request) -> ColumnElement[bool]:
    mine = IdempotencyKey.organisation_id == request.organisation_id
    return mine & (IdempotencyKey.key == request.key)
