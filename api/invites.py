"""``/api/v1/invites``: what the link in an invitation's mail leads to. Public."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.auth import LoggedIn, logged_in
from api.errors import documented
from api.fields import Moment, Name
from api.platform import Here, Session
from fusillade.errors import Conflict, NotFound
from fusillade.metrics.live import timestamp
from fusillade.storage import invitations

router = APIRouter(prefix="/api/v1/invites", tags=["team"])

Token = Annotated[str, Path(description="From the mail.")]


class Invitation(BaseModel):
    """What the invited person wants to know."""

    email: str
    role: str
    organization: str
    invited_by: str | None
    expires_at: Moment


class Acceptance(BaseModel):
    """How the invited person wants to be called, and the password to be."""

    name: Name
    password: Annotated[str, Field(description="At least 8 characters, at most 72 bytes in UTF-8.")]


@router.get("/{token}", responses=documented(NotFound))
async def show_invitation(token: Token, session: Session) -> Invitation:
    """The invitation, while it can be accepted."""
    found = await invitations.find(session, token)
    return Invitation(
        email=found.invitation.email,
        role=found.invitation.role,
        organization=found.organisation.name,
        invited_by=None if found.inviter is None else found.inviter.name,
        expires_at=timestamp(found.invitation.expires_at),
    )


@router.post("/{token}/accept", status_code=201, responses=documented(NotFound, Conflict))
async def accept_invitation(
    token: Token, body: Acceptance, platform: Here, session: Session
) -> LoggedIn:
    """Make the account and log in. The invitation cannot be used again."""
    user = await invitations.accept(session, token, name=body.name, password=body.password)
    return await logged_in(session, platform, user)
