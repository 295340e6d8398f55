"""``/api/v1/team``: the people of the organisation, and who is invited."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Caller, Full, Read
from api.errors import documented
from api.fields import Moment
from api.platform import Here, Platform, Session
from fusillade import invitation_mail, roles
from fusillade.errors import Conflict, Forbidden, NotFound
from fusillade.metrics.live import timestamp
from fusillade.storage import accounts, invitations, team
from fusillade.storage.models import Invitation

router = APIRouter(prefix="/api/v1/team", tags=["team"])

Role = Literal["owner", "admin", "member"]
ShownRole = Annotated[str, Field(json_schema_extra={"enum": list(roles.ROLES)})]


class Member(BaseModel):
    """One of the organisation's people."""

    id: UUID
    email: str
    name: str
    role: ShownRole
    created_at: Moment


class Members(BaseModel):
    """In the order in which they came."""

    members: list[Member]


class NewInvite(BaseModel):
    """Whom to invite."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "colleague@example.com", "role": "member"}]}
    )

    email: Annotated[str, Field(max_length=254)]
    role: Role = "member"


class Invite(BaseModel):
    """An invitation that nobody has accepted yet. Its token is only in the mail."""

    id: UUID
    email: str
    role: ShownRole
    created_at: Moment
    expires_at: Moment


class Invites(BaseModel):
    """Oldest first; those that have expired can be sent again."""

    invites: list[Invite]


@router.get("")
async def list_members(caller: Read, session: Session) -> Members:
    """All members of the organisation."""
    return Members(
        members=[
            Member(
                id=user.id,
                email=user.email,
                name=user.name,
                role=user.role,
                created_at=timestamp(user.created_at),
            )
            for user in await team.members(session, caller.organisation_id)
        ]
    )


@router.post("/invite", status_code=201, responses=documented(Forbidden, Conflict))
async def invite(body: NewInvite, caller: Full, platform: Here, session: Session) -> Invite:
    """Invite somebody by mail. For owners and admins; only an owner may invite an owner."""
    invitation, token = await invitations.invite(
        session,
        caller.user,
        email=body.email,
        role=body.role,
        days=platform.settings.invitation_days,
    )
    await _send(session, platform, caller, invitation, token)
    return _shown(invitation)


@router.get("/invites", responses=documented(Forbidden))
async def list_invites(caller: Read, session: Session) -> Invites:
    """Invitations that nobody has accepted yet. For owners and admins."""
    roles.need_team_manager(caller.user.role)
    found = await invitations.pending(session, caller.organisation_id)
    return Invites(invites=[_shown(invitation) for invitation in found])


@router.delete("/invites/{invite_id}", status_code=204, responses=documented(Forbidden, NotFound))
async def cancel_invite(invite_id: UUID, caller: Full, session: Session) -> None:
    """Take an invitation back: the link in its mail stops working. For owners and admins."""
    await invitations.cancel(session, caller.user, invite_id)


@router.post("/invites/{invite_id}/resend", responses=documented(Forbidden, NotFound))
async def resend_invite(invite_id: UUID, caller: Full, platform: Here, session: Session) -> Invite:
    """Send an invitation again, with a new link and a new time. The link before stops working."""
    invitation, token = await invitations.renew(
        session, caller.user, invite_id, days=platform.settings.invitation_days
    )
    await _send(session, platform, caller, invitation, token)
    return _shown(invitation)


@router.delete("/{user_id}", status_code=204, responses=documented(Forbidden, NotFound))
async def remove_member(user_id: UUID, caller: Full, session: Session) -> None:
    """Remove somebody's account with its API keys; tests stay with the organisation.

    For owners and admins; only an owner may remove an owner, and nobody the last one.
    """
    await team.remove(session, caller.user, user_id)


async def _send(
    session: AsyncSession, platform: Platform, caller: Caller, invitation: Invitation, token: str
) -> None:
    organisation = await accounts.organisation(session, caller.organisation_id)
    message = invitation_mail.compose(
        platform.settings,
        to=invitation.email,
        organisation=organisation.name,
        inviter=caller.user.name,
        role=invitation.role,
        token=token,
        expires_at=invitation.expires_at,
    )
    link = invitation_mail.link_of(platform.settings, token)
    await platform.mailer.send(message, link)


def _shown(invitation: Invitation) -> Invite:
    return Invite(
        id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        created_at=timestamp(invitation.created_at),
        expires_at=timestamp(invitation.expires_at),
    )
