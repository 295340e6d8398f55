"""Who calls, and whether they may: ``Authorization: Bearer`` with a token or an API key."""

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


_Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def _allowed(
    session: AsyncSession,
    platform: Platform,
    sent: HTTPAuthorizationCredentials | None,
    scope: str,
) -> Caller:
    credential = "" if sent is None else sent.credentials.strip()
    if not credential:
        raise InvalidAuth("Send a token or an API key in the header Authorization: Bearer <token>.")
    caller = await identify(session, platform, credential)
    caller.need(scope)
    return caller


def caller_with(scope: str) -> Any:
    """The caller, who must have ``scope``, found in the request's :data:`Session`."""

    async def authenticated(platform: Here, session: Session, sent: _Sent) -> Caller:
        return await _allowed(session, platform, sent, scope)

    return Annotated[Caller, Security(authenticated, scopes=[scope])]


def caller_first_with(scope: str) -> Any:
    """The caller, who must have ``scope``, found in a transaction that is over before the handler
    begins.

    For handlers that take no :data:`Session`, because they wait for something or open transactions
    of their own. If they kept one connection while they ask for another, as many requests as there
    are connections would wait for each other.
    """

    async def authenticated_first(platform: Here, sent: _Sent) -> Caller:
        async with platform.database.session() as session:
            return await _allowed(session, platform, sent, scope)

    return Annotated[Caller, Security(authenticated_first, scopes=[scope])]


Full: Any = caller_with("full")
TestCreate: Any = caller_with("test:create")
TestRead: Any = caller_with("test:read")
Read: Any = caller_with("read")

FullFirst: Any = caller_first_with("full")
TestCreateFirst: Any = caller_first_with("test:create")
TestReadFirst: Any = caller_first_with("test:read")
