"""``/health``: whether this process answers."""

from fastapi import APIRouter

from fusillade import __version__

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """Answers without asking anything of anybody."""
    return {"status": "ok", "version": __version__}
