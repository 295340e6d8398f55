"""``/api/v1/tests/validate``: what is wrong with a script, without running it."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, ValidationError

from api import creation
from api.authentication import TestReadFirst
from api.errors import describe, documented
from api.platform import Here
from api.shown_tests import InvalidScriptFound, ValidScript
from api.test_form import SCHEMA, Script, read_script_form
from fusillade.errors import ScriptTooLarge, ValidationFailed
from fusillade.hosting.messages import Overrides, Problem
from fusillade.hosting.script_host import ScriptRejected
from fusillade.plans import check_script_size
from fusillade.settings import Settings

router = APIRouter(prefix="/api/v1/tests", tags=["tests"])


class ScriptText(BaseModel):
    """A script as text."""

    script_content: Annotated[str, Field(min_length=1, description="JavaScript or TypeScript")]


_FORM_FIELDS = ("script", "assets", "entry", "env")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["script_content"],
                    "properties": {"script_content": {"type": "string", "minLength": 1}},
                    "examples": [
                        {
                            "script_content": "export default function() { "
                            'http.get("https://api.example.com/health"); }'
                        }
                    ],
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["script"],
                    "properties": {name: SCHEMA["properties"][name] for name in _FORM_FIELDS},
                }
            },
        },
    }
}


@router.post("/validate", openapi_extra=_BODY, responses=documented(ScriptTooLarge))
async def validate(
    request: Request, caller: TestReadFirst, platform: Here
) -> ValidScript | InvalidScriptFound:
    """Compile a script and run its init code: ``valid``, and all problems and warnings, each with
    ``message``, ``file``, ``line`` and ``column`` (from 1; 0 where there is none) and ``severity``.
    """
    script = await _script(request, platform.settings)
    check_script_size(script.files, script.entry, await creation.limits(platform, caller))
    try:
        loaded = await platform.validate(script.files, script.entry, script.env, Overrides())
    except ScriptRejected as rejected:
        return InvalidScriptFound(
            valid=False, problems=[_described(one) for one in rejected.problems]
        )
    return ValidScript(
        valid=True,
        problems=[_described(one) for one in loaded.warnings],
        options=loaded.options,
        exports=loaded.exports,
        target_urls=loaded.target_urls,
    )


async def _script(request: Request, settings: Settings) -> Script:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return await read_script_form(request, settings)
    try:
        body = ScriptText.model_validate_json(await request.body())
    except ValidationError as error:
        raise ValidationFailed(describe(error.errors())) from error
    content = body.script_content.encode("utf-8", "surrogatepass")
    if len(content) > settings.max_script_bytes:
        raise ScriptTooLarge(f"The script is larger than {settings.max_script_bytes:,} bytes.")
    return Script("script.js", {"script.js": content}, {})


def _described(problem: Problem) -> dict[str, Any]:
    return msgspec.structs.asdict(problem)
