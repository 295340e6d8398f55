"""``/api/v1/keys``: keys for programs."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.authentication import Full
from api.platform import Session
from fusillade.storage import api_keys

router = APIRouter(prefix="/api/v1/keys", tags=["API keys"])

Scope = Literal["full", "test:create", "test:read", "read"]


class NewKey(BaseModel):
    """Name and scopes."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: Annotated[list[Scope], Field(min_length=1)] = ["full"]


@router.post("", status_code=201)
async def create(body: NewKey, caller: Full, session: Session) -> dict[str, Any]:
    """A new key. It is shown in this answer and never again."""
    row, key = await api_keys.create(
        session,
        organisation_id=caller.organisation_id,
        user_id=caller.user.id,
        name=body.name,
        scopes=body.scopes,
    )
    return {"key": key, "id": str(row.id), "name": row.name, "scopes": row.scopes}
