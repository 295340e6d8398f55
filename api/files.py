"""``/api/v1/tests/:test_id/files``: a test's script, and what came with it.

An extension of the reference, for who wants to change a test and run it again.
"""

import base64
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.authentication import TestRead
from api.errors import documented
from api.platform import Session
from fusillade.errors import NotFound
from fusillade.storage import tests

router = APIRouter(prefix="/api/v1/tests/{test_id}/files", tags=["tests"])


class File(BaseModel):
    """One of the files, whole."""

    path: Annotated[str, Field(description="Inside the test, as import and open() have it")]
    size_bytes: int
    encoding: Literal["utf-8", "base64"]
    content: Annotated[str, Field(description="Text as it is, anything else in Base64")]


class Files(BaseModel):
    """All files of a test."""

    test_id: UUID
    entry: Annotated[str, Field(description="Path of the main module")]
    env: Annotated[
        list[str], Field(description="Names of the variables that came with it, without values")
    ]
    files: list[File]


@router.get("", responses=documented(NotFound))
async def list_files(test_id: UUID, caller: TestRead, session: Session) -> Files:
    """The test as it was uploaded. Values of variables may be secrets, so they are not shown."""
    test = await tests.get(session, test_id, caller.organisation_id)
    found = await tests.files(session, test_id)
    return Files(
        test_id=test_id,
        entry=test.entry,
        env=sorted(test.env),
        files=[_file(path, content) for path, content in sorted(found.items())],
    )


def _file(path: str, content: bytes) -> File:
    encoding: Literal["utf-8", "base64"] = "utf-8"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        encoding, text = "base64", base64.b64encode(content).decode()
    return File(path=path, size_bytes=len(content), encoding=encoding, content=text)
