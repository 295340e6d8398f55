"""``/api/v1/me``: the caller."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Read
from api.platform import Session
from fusillade.metrics.live import timestamp
from fusillade.storage import accounts
from fusillade.storage.models import User

router = APIRouter(prefix="/api/v1/me", tags=["account"])


@router.get("")
async def me(caller: Read, session: Session) -> dict[str, Any]:
    """The profile of the token's or key's user."""
    return await profile(session, caller.user)


async def profile(session: AsyncSession, user: User) -> dict[str, Any]:
    """A user as the API shows one."""
    _, organisation = await accounts.with_organisation(session, user.id)
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "organization": {"id": str(organisation.id), "name": organisation.name},
        "created_at": timestamp(user.created_at),
    }
