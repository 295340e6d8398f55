"""``/api/v1/tests/{test_id}/artifacts``: what a test's ``handleSummary`` has returned."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.authentication import TestRead
from api.errors import documented
from api.platform import Session
from fusillade.artifacts import content_type
from fusillade.errors import NotFound
from fusillade.storage import artifacts, tests

router = APIRouter(prefix="/api/v1/tests/{test_id}/artifacts", tags=["artifacts"])


_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The artifact, with the content type that its name suggests",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Artifact(BaseModel):
    """What one artifact is, without its content."""

    name: str
    size_bytes: int
    content_type: str


class Artifacts(BaseModel):
    """By name."""

    artifacts: list[Artifact]


@router.get("", responses=documented(NotFound))
async def list_artifacts(test_id: UUID, caller: TestRead, session: Session) -> Artifacts:
    """Names, sizes and content types; none before the test has ended."""
    await tests.get(session, test_id, caller.organisation_id)
    return Artifacts(
        artifacts=[
            Artifact(name=name, size_bytes=size, content_type=content_type(name))
            for name, size in await artifacts.sizes(session, test_id)
        ]
    )


@router.get("/{name:path}", response_class=Response, responses=_CONTENT | documented(NotFound))
async def download(test_id: UUID, name: str, caller: TestRead, session: Session) -> Response:
    """One artifact, to be saved: its author is not us, so no browser may run it as ours."""
    await tests.get(session, test_id, caller.organisation_id)
    content = await artifacts.content(session, test_id, name)
    filename = quote(PurePosixPath(name).name)
    return Response(
        content,
        media_type=content_type(name),
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{filename}",
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
