"""The multipart form that creates a test."""

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from api.errors import describe
from fusillade.errors import ScriptTooLarge, ValidationFailed

_MODULE_SUFFIXES = (".js", ".mjs", ".ts", ".mts")
_DEFAULT_ENTRY = "script.js"
_OTHER_FIELDS_BYTES = 64 << 10


class _Fields(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    workers: Annotated[int, Field(ge=1)]
    duration: Annotated[int, Field(ge=1)]
    region: str | None = None


class TestForm(BaseModel):
    """What the form says."""

    __test__ = False  # its name is not meant for pytest

    name: str
    workers: int
    duration: int
    region: str | None
    entry: str
    script: bytes


async def read_test_form(request: Request, max_script_bytes: int) -> TestForm:
    """Read and check the form. ``vus`` is another name for ``workers``.

    Raises :class:`ValidationFailed`, :class:`ScriptTooLarge`.
    """
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        raise ValidationFailed("Send the fields as multipart/form-data.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_script_bytes + _OTHER_FIELDS_BYTES:
        raise _too_large(max_script_bytes)
    try:
        async with request.form(
            max_files=1, max_fields=20, max_part_size=max_script_bytes + 1
        ) as form:
            entry, script = await _script(form, max_script_bytes)
            fields = _checked(form)
    except MultiPartException as error:
        if "size" in error.message:
            raise _too_large(max_script_bytes) from error
        raise ValidationFailed(f"The form cannot be read: {error.message}") from error
    return TestForm(**fields.model_dump(), entry=entry, script=script)


def _checked(form: FormData) -> _Fields:
    values = {name: value for name, value in form.items() if isinstance(value, str) and value}
    if "workers" not in values and "vus" in values:
        values["workers"] = values["vus"]
    try:
        return _Fields.model_validate(values)
    except ValidationError as error:
        raise ValidationFailed(describe(error.errors())) from error


async def _script(form: FormData, limit: int) -> tuple[str, bytes]:
    given = form.get("script")
    if isinstance(given, UploadFile):
        name = PurePosixPath((given.filename or "").replace("\\", "/")).name
        entry = name if name.endswith(_MODULE_SUFFIXES) else _DEFAULT_ENTRY
        content = await given.read(limit + 1)
    elif given:
        entry, content = _DEFAULT_ENTRY, given.encode()
    else:
        raise ValidationFailed(
            "script is missing: send the JavaScript as a file (-F script=@test.js) or as text."
        )
    if len(content) > limit:
        raise _too_large(limit)
    if not content.strip():
        raise ValidationFailed("script is empty.")
    return entry, content


def _too_large(limit: int) -> ScriptTooLarge:
    return ScriptTooLarge(f"The script is larger than {limit:,} bytes.")
