"""``/api/v1/keys``: keys for programs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.authentication import Full, Read
from api.errors import documented
from api.fields import Moment, Name
from api.platform import Session
from fusillade.errors import Forbidden, NotFound, ValidationFailed
from fusillade.metrics.live import timestamp
from fusillade.scopes import SCOPES
from fusillade.storage import api_keys

router = APIRouter(prefix="/api/v1/keys", tags=["API keys"])

_LONGEST_DAYS = 3650

Scope = Literal["full", "test:create", "test:read", "read"]
ShownScopes = Annotated[
    list[str], Field(json_schema_extra={"items": {"type": "string", "enum": list(SCOPES)}})
]


class NewKey(BaseModel):
    """Name and scopes; without one of the last two, the key does not expire."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "CI Agent", "scopes": ["test:create"]}]}
    )

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1)] = ["full"]
    expires_at: AwareDatetime | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=_LONGEST_DAYS)] | None = None

    def expiry(self) -> datetime | None:
        """When the key ends. Raises :class:`ValidationFailed`."""
        if self.expires_at is not None and self.expires_in_days is not None:
            raise ValidationFailed("Give expires_at or expires_in_days, not both.")
        if self.expires_in_days is not None:
            return datetime.now(UTC) + timedelta(days=self.expires_in_days)
        if self.expires_at is None:
            return None
        now = datetime.now(UTC)
        if not now < self.expires_at <= now + timedelta(days=_LONGEST_DAYS):
            raise ValidationFailed(
                f"expires_at must be in the future, in at most {_LONGEST_DAYS:,} days; leave it "
                "out for a key that does not expire."
            )
        return self.expires_at


class CreatedKey(BaseModel):
    """The key itself, this once; ``expires_at`` if it ends at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "fusi_abc123...",
                    "id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
                    "name": "CI Agent",
                    "scopes": ["test:create"],
                }
            ]
        }
    )

    key: str
    id: UUID
    name: str
    scopes: ShownScopes
    expires_at: Moment | None = None


class KeyOwner(BaseModel):
    """With whose account a key works."""

    id: UUID
    name: str
    email: str


class Key(BaseModel):
    """A key without its secret; ``prefix`` are its first characters."""

    id: UUID
    name: str
    prefix: str
    scopes: ShownScopes
    user: KeyOwner
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None


class Keys(BaseModel):
    """Newest first."""

    keys: list[Key]


@router.get("")
async def list_keys(caller: Read, session: Session) -> Keys:
    """A member's own keys; for an owner or admin those of the whole organisation."""
    return Keys(
        keys=[
            Key(
                id=key.id,
                name=key.name,
                prefix=key.prefix,
                scopes=key.scopes,
                user=KeyOwner(id=user.id, name=user.name, email=user.email),
                created_at=timestamp(key.created_at),
                last_used_at=_optional(key.last_used_at),
                expires_at=_optional(key.expires_at),
            )
            for key, user in await api_keys.visible_to(session, caller.user)
        ]
    )


@router.post("", status_code=201, response_model_exclude_none=True)
async def create(body: NewKey, caller: Full, session: Session) -> CreatedKey:
    """A new key. It is shown in this answer and never again."""
    for scope in body.scopes:
        caller.need(scope)
    row, key = await api_keys.create(
        session,
        organisation_id=caller.organisation_id,
        user_id=caller.user.id,
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expiry(),
    )
    return CreatedKey(
        key=key,
        id=row.id,
        name=row.name,
        scopes=row.scopes,
        expires_at=_optional(row.expires_at),
    )


@router.delete("/{key_id}", status_code=204, responses=documented(NotFound, Forbidden))
async def remove(key_id: UUID, caller: Full, session: Session) -> None:
    """Delete a key: it works no longer. Only an owner or admin may delete the keys of others."""
    await api_keys.remove(session, caller.user, key_id)


def _optional(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
