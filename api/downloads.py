"""Files that answers consist of: made of a result, to be saved."""

import asyncio
import re
from hashlib import sha256
from typing import Any

from fastapi import Request, Response

from fusillade.reports.formats import FORMATS
from fusillade.reports.result import Result

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80


def documented_files(*formats: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an operation that answers with one of these formats."""
    types = [FORMATS[name].content_type.partition(";")[0] for name in formats]
    binary = {"schema": {"type": "string", "format": "binary"}}
    header = {"schema": {"type": "string"}}
    return {
        200: {
            "description": "The file",
            "content": {kind: binary for kind in types if kind != "application/json"},
            "headers": {"ETag": header, "Content-Disposition": header},
        },
        304: {"description": "The file is the one that `If-None-Match` names."},
    }


async def download(request: Request, result: Result, kind: str, ending: str = "") -> Response:
    """The result in the format ``kind``; 304 for a client that has it already. ``ending`` comes in
    the file's name before that of the format."""
    form = FORMATS[kind]
    content = await asyncio.to_thread(form.of, result)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _names(request.headers.get("If-None-Match", ""), tag):
        return Response(status_code=304, headers=headers)
    name = _NOT_IN_NAMES.sub("-", result.name).strip("-.")[:_LONGEST_NAME] or "test"
    headers |= {
        "Content-Disposition": f'attachment; filename="{name}{ending}{form.ending}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=form.content_type, headers=headers)


def _names(if_none_match: str, tag: str) -> bool:
    """Whether one of the header's tags is this one (RFC 9110, 13.1.2: weakly compared)."""
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in tags or "*" in tags
