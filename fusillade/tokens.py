"""Tokens that a login gives: JWT (RFC 7519), signed with HS256."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt

from fusillade.errors import InvalidAuth

_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    user_id: UUID
    version: int
    """The user's token version: tokens of an older one are no longer valid."""
    token_id: UUID
    expires_at: datetime


def issue(user_id: UUID, version: int, secret: str, ttl_seconds: int) -> str:
    """A token that expires after ``ttl_seconds``."""
    now = datetime.now(UTC)
    content = {
        "sub": str(user_id),
        "ver": version,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + timedelta(seconds=ttl_seconds),
    }
    return jwt.encode(content, secret, algorithm=_ALGORITHM)


def read(token: str, secret: str) -> Claims:
    """What a token says. Raises :class:`InvalidAuth` if it is not ours or has expired."""
    try:
        content = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            options={"require": ["sub", "ver", "jti", "exp"]},
        )
        return Claims(
            user_id=UUID(content["sub"]),
            version=int(content["ver"]),
            token_id=UUID(content["jti"]),
            expires_at=datetime.fromtimestamp(content["exp"], UTC),
        )
    except jwt.ExpiredSignatureError as error:
        raise InvalidAuth("The token has expired: log in again.") from error
    except (jwt.InvalidTokenError, ValueError, TypeError) as error:
        raise InvalidAuth("The token is not valid: log in again.") from error
