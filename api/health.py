"""``/health``: whether this process answers."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from fusillade import __version__

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process that answers is there; nothing else has been asked."""

    status: Literal["ok"]
    version: str


@router.get("/health")
async def health() -> Alive:
    """Answers without asking anything of anybody."""
    return Alive(status="ok", version=__version__)
