"""Tokens that were given back before they expired."""

from sqlalchemy import delete, exists, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import Exists

from fusillade.storage.models import RevokedToken
from fusillade.tokens import Claims


async def revoke(session: AsyncSession, claims: Claims) -> None:
    """The token is not valid from now on. Those that have expired are forgotten."""
    await session.execute(delete(RevokedToken).where(RevokedToken.expires_at < func.now()))
    await session.execute(
        insert(RevokedToken)
        .values(id=claims.token_id, expires_at=claims.expires_at)
        .on_conflict_do_nothing()
    )


def is_revoked(claims: Claims) -> Exists:
    """A condition of a query: whether the token was given back."""
    return exists().where(RevokedToken.id == claims.token_id)
