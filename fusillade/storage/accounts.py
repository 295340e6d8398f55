"""Organisations and their users."""

import asyncio
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import emails, passwords
from fusillade.errors import Conflict, InvalidAuth, NotFound
from fusillade.storage.models import Organisation, User
from fusillade.storage.revoked_tokens import is_revoked
from fusillade.tokens import Claims


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
    return await create_user(
        session,
        organisation_id=organisation.id,
        email=email,
        name=email.partition("@")[0],
        role="owner",
        password=password,
    )


async def create_user(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    email: str,
    name: str,
    role: str,
    password: str,
) -> User:
    """A new account. Raises :class:`ValidationFailed`, :class:`Conflict` if the e-mail has one."""
    passwords.check(password)
    user = User(
        organisation_id=organisation_id,
        email=emails.normal(email),
        name=name,
        role=role,
        password_hash=await asyncio.to_thread(passwords.hash_password, password),
    )
    session.add(user)
    await _flush_unless_taken(session, user.email)
    return user


async def _flush_unless_taken(session: AsyncSession, email: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"{email} already has an account.") from error


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


async def holder(session: AsyncSession, claims: Claims) -> User:
    """The user whose token says this. Raises :class:`InvalidAuth` if it is no longer valid."""
    user = await session.scalar(
        select(User).where(
            User.id == claims.user_id,
            User.token_version == claims.version,
            ~is_revoked(claims),
        )
    )
    if user is None:
        raise InvalidAuth("The token is no longer valid: log in again.")
    return user


async def change_password(session: AsyncSession, user: User, *, old: str, new: str) -> None:
    """Give the user another password; all tokens before are no longer valid, API keys are.

    Raises :class:`InvalidAuth` unless ``old`` is the present one, :class:`ValidationFailed`.
    """
    passwords.check(new)
    await session.refresh(user, with_for_update=True)
    if not await asyncio.to_thread(passwords.matches, old, user.password_hash):
        raise InvalidAuth("The current password is wrong.")
    user.password_hash = await asyncio.to_thread(passwords.hash_password, new)
    user.token_version += 1
    await session.flush()


async def update_profile(
    session: AsyncSession, user: User, *, name: str | None, email: str | None
) -> None:
    """Change what is not None. Raises :class:`ValidationFailed`, :class:`Conflict`."""
    if name is not None:
        user.name = name
    if email is not None:
        user.email = emails.normal(email)
    await _flush_unless_taken(session, user.email)
