"""``/api/v1/auth``: tokens for passwords, and back."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Full
from api.errors import documented
from api.me import Profile, profile
from api.platform import Here, Platform, Session
from fusillade import tokens
from fusillade.errors import Forbidden, InvalidAuth
from fusillade.storage import accounts, revoked_tokens
from fusillade.storage.models import User

router = APIRouter(prefix="/api/v1/auth", tags=["authentication"])


class Login(BaseModel):
    """E-mail and password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "you@example.com", "password": "..."}]}
    )

    email: str
    password: str


class PasswordChange(BaseModel):
    """The present password and the one to be. ``old_password`` also names the first."""

    current_password: Annotated[
        str, Field(validation_alias=AliasChoices("current_password", "old_password"))
    ]
    new_password: Annotated[
        str, Field(description="At least 8 characters, at most 72 bytes in UTF-8.")
    ]


class LoggedIn(BaseModel):
    """A token for the other endpoints, and whose it is."""

    token: Annotated[str, Field(examples=["eyJ..."])]
    user: Profile


@router.post("/login", responses=documented(InvalidAuth))
async def login(body: Login, platform: Here, session: Session) -> LoggedIn:
    """A token for the other endpoints, and whose it is."""
    user = await accounts.authenticate(session, body.email, body.password)
    return await logged_in(session, platform, user)


@router.post("/logout", status_code=204, responses=documented(Forbidden))
async def logout(caller: Full, session: Session) -> None:
    """The token of this request is not valid any more."""
    if caller.claims is None:
        raise Forbidden("Only the token of a login can be given back; delete an API key instead.")
    await revoked_tokens.revoke(session, caller.claims)


@router.post("/change-password")
async def change_password(
    body: PasswordChange, caller: Full, platform: Here, session: Session
) -> LoggedIn:
    """Choose another password. All tokens before are not valid any more; answers with a new one.

    API keys stay valid. A wrong present password is `invalid_auth`.
    """
    await accounts.change_password(
        session, caller.user, old=body.current_password, new=body.new_password
    )
    return await logged_in(session, platform, caller.user)


async def logged_in(session: AsyncSession, platform: Platform, user: User) -> LoggedIn:
    """What a login answers."""
    token = tokens.issue(
        user.id, user.token_version, platform.secret, platform.settings.token_ttl_seconds
    )
    return LoggedIn(token=token, user=await profile(session, user))
