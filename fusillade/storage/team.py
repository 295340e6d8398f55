"""The people of an organisation."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import roles
from fusillade.storage.models import User
from fusillade.storage.ownership import belonging_to, owned


async def members(session: AsyncSession, organisation_id: UUID) -> Sequence[User]:
    """All of them, in the order in which they came."""
    query = belonging_to(User, organisation_id).order_by(User.created_at, User.id)
    return (await session.scalars(query)).all()


async def remove(session: AsyncSession, actor: User, user_id: UUID) -> None:
    """Delete a member's account with its API keys; tests stay with the organisation.

    Raises :class:`NotFound`, :class:`Forbidden`.
    """
    # Locked, so that of two owners who remove each other at once one stays.
    owners = belonging_to(User, actor.organisation_id).where(User.role == "owner")
    locked = await session.scalars(owners.order_by(User.id).with_for_update())
    count = len(locked.all())
    removed = await owned(session, User, user_id, actor.organisation_id)
    roles.need_remover(actor.role, removed.role, count)
    await session.delete(removed)
    await session.flush()
