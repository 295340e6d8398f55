"""Invitations: a random token by mail, of which only the SHA-256 is kept.

A fast hash is right here: the token has 256 random bits, which nobody guesses.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fusillade import emails, roles
from fusillade.errors import Conflict, NotFound
from fusillade.storage import accounts
from fusillade.storage.models import Invitation, Organisation, User
from fusillade.storage.ownership import belonging_to, owned


@dataclass(frozen=True, slots=True)
class Open:
    """An invitation that can be accepted, and what its recipient wants to know."""

    invitation: Invitation
    organisation: Organisation
    inviter: User | None
    """None if that account was removed."""


async def invite(
    session: AsyncSession, inviter: User, *, email: str, role: str, days: int
) -> tuple[Invitation, str]:
    """A new invitation and its token, which cannot be shown again.

    One that has expired gives way. Raises :class:`ValidationFailed`, :class:`Forbidden`;
    :class:`Conflict` if the person has an account or is invited already.
    """
    roles.need_inviter(inviter.role, role)
    email = emails.normal(email)
    known = await session.scalar(select(User).where(User.email == email))
    if known is not None:
        where = "your" if known.organisation_id == inviter.organisation_id else "an"
        raise Conflict(f"{email} is already in {where} organisation.")
    await session.execute(
        delete(Invitation)
        .where(Invitation.organisation_id == inviter.organisation_id, Invitation.email == email)
        .where(Invitation.expires_at <= datetime.now(UTC))
    )
    token, hashed = _new_token()
    invitation = Invitation(
        organisation_id=inviter.organisation_id,
        email=email,
        role=role,
        invited_by=inviter.id,
        token_hash=hashed,
        expires_at=datetime.now(UTC) + timedelta(days=days),
    )
    session.add(invitation)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"{email} is already invited: resend or cancel that invitation.") from error
    return invitation, token


async def pending(session: AsyncSession, organisation_id: UUID) -> Sequence[Invitation]:
    """Those that nobody has accepted yet, oldest first; expired ones are among them."""
    query = belonging_to(Invitation, organisation_id)
    return (await session.scalars(query.order_by(Invitation.created_at, Invitation.id))).all()


async def cancel(session: AsyncSession, actor: User, invitation_id: UUID) -> None:
    """Take an invitation back: its token is not valid any more. Raises :class:`NotFound`."""
    roles.need_team_manager(actor.role)
    await session.delete(await owned(session, Invitation, invitation_id, actor.organisation_id))


async def renew(
    session: AsyncSession, actor: User, invitation_id: UUID, *, days: int
) -> tuple[Invitation, str]:
    """Give an invitation a new token and time; the token before is not valid any more.

    Raises :class:`NotFound`, :class:`Forbidden`.
    """
    roles.need_team_manager(actor.role)
    invitation = await owned(session, Invitation, invitation_id, actor.organisation_id, lock=True)
    roles.need_inviter(actor.role, invitation.role)
    token, invitation.token_hash = _new_token()
    invitation.expires_at = datetime.now(UTC) + timedelta(days=days)
    await session.flush()
    return invitation, token


async def find(session: AsyncSession, token: str, *, lock: bool = False) -> Open:
    """The invitation behind a token. Raises :class:`NotFound`, also when it has expired."""
    query = (
        select(Invitation, Organisation, User)
        .join(Organisation, Organisation.id == Invitation.organisation_id)
        .outerjoin(User, User.id == Invitation.invited_by)
        .where(Invitation.token_hash == _hash(token))
    )
    if lock:
        query = query.with_for_update(of=Invitation)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("There is no such invitation: it was accepted, cancelled or sent anew.")
    invitation, organisation, inviter = row
    if invitation.expires_at <= datetime.now(UTC):
        raise NotFound("The invitation has expired: ask for it to be sent again.")
    return Open(invitation, organisation, inviter)


async def accept(session: AsyncSession, token: str, *, name: str, password: str) -> User:
    """Make the account that the invitation offers; it cannot be used again.

    Raises :class:`NotFound`, :class:`ValidationFailed` for a password that is none,
    :class:`Conflict` if the person has joined an organisation meanwhile.
    """
    invitation = (await find(session, token, lock=True)).invitation
    user = await accounts.create_user(
        session,
        organisation_id=invitation.organisation_id,
        email=invitation.email,
        name=name,
        role=invitation.role,
        password=password,
    )
    await session.delete(invitation)
    return user


def _new_token() -> tuple[str, bytes]:
    token = secrets.token_urlsafe(32)
    return token, _hash(token)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
