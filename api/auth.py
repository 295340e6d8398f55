"""``/api/v1/auth``: tokens for passwords."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.me import profile
from api.platform import Here, Session
from fusillade import tokens
from fusillade.storage import accounts

router = APIRouter(prefix="/api/v1/auth", tags=["authentication"])


class Login(BaseModel):
    """E-mail and password."""

    email: str
    password: str


@router.post("/login")
async def login(body: Login, platform: Here, session: Session) -> dict[str, Any]:
    """A token for the other endpoints, and whose it is."""
    user = await accounts.authenticate(session, body.email, body.password)
    claims = tokens.Claims(user_id=user.id, version=user.token_version)
    token = tokens.issue(claims, platform.secret, platform.settings.token_ttl_seconds)
    return {"token": token, "user": await profile(session, user)}
