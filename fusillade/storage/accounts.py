"""Organisations and their users."""

import asyncio
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import passwords
from fusillade.errors import InvalidAuth, NotFound
from fusillade.storage.models import Organisation, User


async def any_user(session: AsyncSession) -> bool:
    """Whether the platform has been set up."""
    return await session.scalar(select(User.id).limit(1)) is not None


async def create_organisation_with_owner(
    session: AsyncSession, *, name: str, email: str, password: str
) -> User:
    """A new organisation and the person who may do everything in it."""
    organisation = Organisation(name=name)
    session.add(organisation)
    await session.flush()
    user = User(
        organisation_id=organisation.id,
        email=email.strip().lower(),
        name=email.partition("@")[0],
        role="owner",
        password_hash=await asyncio.to_thread(passwords.hash_password, password),
    )
    session.add(user)
    await session.flush()
    return user


async def organisation(session: AsyncSession, organisation_id: UUID) -> Organisation:
    """The organisation with this id. Raises :class:`NotFound`."""
    found = await session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound(f"There is no organisation {organisation_id}.")
    return found


async def authenticate(session: AsyncSession, email: str, password: str) -> User:
    """The user with this e-mail and password. Raises :class:`InvalidAuth`."""
    user = await session.scalar(select(User).where(User.email == email.strip().lower()))
    hashed = None if user is None else user.password_hash
    if not await asyncio.to_thread(_matches, password, hashed) or user is None:
        raise InvalidAuth("Wrong e-mail or password.")
    return user


def _matches(password: str, hashed: str | None) -> bool:
    return passwords.matches(password, hashed or passwords.of_nobody())


async def with_organisation(session: AsyncSession, user_id: UUID) -> tuple[User, Organisation]:
    """A user and the organisation. Raises :class:`InvalidAuth` if there is no such user."""
    row = (
        await session.execute(
            select(User, Organisation)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(User.id == user_id)
        )
    ).one_or_none()
    if row is None:
        raise InvalidAuth("The token's user does not exist any more.")
    return row[0], row[1]
