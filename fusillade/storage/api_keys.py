"""API keys: ``fusi_`` and 40 random characters, of which only the SHA-256 is kept.

A fast hash is right here: the key has over 200 random bits, which nobody guesses.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import roles
from fusillade.errors import Forbidden, InvalidAuth
from fusillade.storage.models import ApiKey, User
from fusillade.storage.ownership import owned

PREFIX = "fusi_"


async def create(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    user_id: UUID,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself, which cannot be shown again."""
    key = PREFIX + secrets.token_urlsafe(30)
    row = ApiKey(
        organisation_id=organisation_id,
        user_id=user_id,
        name=name,
        prefix=key[: len(PREFIX) + 6],
        key_hash=_hash(key),
        scopes=list(dict.fromkeys(scopes)),
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    return row, key


async def visible_to(session: AsyncSession, user: User) -> Sequence[tuple[ApiKey, User]]:
    """Keys and whose they are, newest first: the user's own, or those of all for an admin."""
    query = (
        select(ApiKey, User)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.organisation_id == user.organisation_id)
        .order_by(ApiKey.created_at.desc(), ApiKey.id)
    )
    if not roles.manages_keys_of_others(user.role):
        query = query.where(ApiKey.user_id == user.id)
    return [(key, owner) for key, owner in await session.execute(query)]


async def remove(session: AsyncSession, actor: User, key_id: UUID) -> None:
    """Delete a key, which works no longer. Raises :class:`NotFound`, :class:`Forbidden`."""
    key = await owned(session, ApiKey, key_id, actor.organisation_id)
    if key.user_id != actor.id and not roles.manages_keys_of_others(actor.role):
        raise Forbidden("Only an owner or admin may delete the API keys of others.")
    await session.delete(key)


async def authenticate(session: AsyncSession, key: str) -> tuple[ApiKey, User]:
    """The key's row and its user; notes the use. Raises :class:`InvalidAuth`."""
    row = (
        await session.execute(
            select(ApiKey, User)
            .join(User, User.id == ApiKey.user_id)
            .where(ApiKey.key_hash == _hash(key))
            .where((ApiKey.expires_at.is_(None)) | (ApiKey.expires_at > func.now()))
        )
    ).one_or_none()
    if row is None:
        raise InvalidAuth("The API key is not valid, or it has expired or been deleted.")
    found: ApiKey = row[0]
    # To the minute: a busy key must not write a row for each request.
    await session.execute(
        update(ApiKey)
        .where(ApiKey.id == found.id)
        .where(
            (ApiKey.last_used_at.is_(None))
            | (ApiKey.last_used_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 1))
        )
        .values(last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return found, row[1]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
