"""Who calls, and whether they may: ``Authorization: Bearer`` with a token or an API key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from api.platform import Here, Platform, Session
from fusillade import tokens
from fusillade.errors import InsufficientScope, InvalidAuth
from fusillade.scopes import allows
from fusillade.storage import accounts, api_keys
from fusillade.storage.models import User
from fusillade.tokens import Claims

_BEARER = HTTPBearer(
    scheme_name="bearer",
    description="A token that a login gave, or an API key (`fusi_...`).",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has proved who they are."""

    user: User
    scopes: tuple[str, ...]
    claims: Claims | None = None
    """What the token says; None for an API key."""

    @property
    def organisation_id(self) -> UUID:
        """All that the caller may see belongs to it."""
        return self.user.organisation_id

    def need(self, scope: str) -> None:
        """Raises :class:`InsufficientScope` if the caller's key lacks ``scope``."""
        if not allows(self.scopes, scope):
            raise InsufficientScope(
                f"This needs the scope {scope}; the API key has {', '.join(self.scopes)}."
            )


async def identify(session: AsyncSession, platform: Platform, credential: str) -> Caller:
    """The caller behind a token or an API key. Raises :class:`InvalidAuth`."""
    if credential.startswith(api_keys.PREFIX):
        key, user = await api_keys.authenticate(session, credential)
        return Caller(user, tuple(key.scopes))
    claims = tokens.read(credential, platform.secret)
    user = await accounts.holder(session, claims)
    return Caller(user, ("full",), claims)


def caller_with(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, who must have ``scope``."""

    async def authenticated(
        platform: Here,
        session: Session,
        sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Caller:
        credential = "" if sent is None else sent.credentials.strip()
        if not credential:
            raise InvalidAuth(
                "Send a token or an API key in the header Authorization: Bearer <token>."
            )
        caller = await identify(session, platform, credential)
        caller.need(scope)
        return caller

    return authenticated


Full: Any = Annotated[Caller, Security(caller_with("full"), scopes=["full"])]
TestCreate: Any = Annotated[Caller, Security(caller_with("test:create"), scopes=["test:create"])]
TestRead: Any = Annotated[Caller, Security(caller_with("test:read"), scopes=["test:read"])]
Read: Any = Annotated[Caller, Security(caller_with("read"), scopes=["read"])]
