"""``/api/v1/me``: the caller."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Full, Read
from api.errors import documented
from api.fields import Moment, Name
from api.platform import Session
from fusillade.errors import Conflict
from fusillade.metrics.live import timestamp
from fusillade.storage import accounts
from fusillade.storage.models import User

router = APIRouter(prefix="/api/v1/me", tags=["account"])


class OrganizationBrief(BaseModel):
    """To which all belongs."""

    id: UUID
    name: str


class Profile(BaseModel):
    """A user, as only that user sees one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "7d3c1f0a-3b5e-4f57-9d0e-0c5d3f4b2a10",
                    "email": "you@example.com",
                    "name": "You",
                    "role": "owner",
                    "organization": {
                        "id": "0f4b8f6e-6a3d-4e0c-8f5a-2b9d1c7e3f11",
                        "name": "Example",
                    },
                    "created_at": "2026-02-06T12:00:00.000Z",
                }
            ]
        }
    )

    id: UUID
    email: str
    name: str
    role: str
    organization: OrganizationBrief
    created_at: Moment


class ProfileChange(BaseModel):
    """What is to change; the rest stays."""

    name: Name | None = None
    email: str | None = None


@router.get("")
async def me(caller: Read, session: Session) -> Profile:
    """The profile of the token's or key's user."""
    return await profile(session, caller.user)


@router.patch("", responses=documented(Conflict))
async def update(body: ProfileChange, caller: Full, session: Session) -> Profile:
    """Change name or e-mail, with which one logs in. Answers with the profile."""
    await accounts.update_profile(session, caller.user, name=body.name, email=body.email)
    return await profile(session, caller.user)


async def profile(session: AsyncSession, user: User) -> Profile:
    """A user as the API shows one."""
    organisation = await accounts.organisation(session, user.organisation_id)
    return Profile(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        organization=OrganizationBrief(id=organisation.id, name=organisation.name),
        created_at=timestamp(user.created_at),
    )
