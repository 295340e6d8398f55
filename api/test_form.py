"""The multipart form that creates a test."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from api.errors import describe
from api.fields import REGION_DESCRIPTION, Region
from fusillade.errors import ScriptTooLarge, ValidationFailed
from fusillade.paths import relative_path
from fusillade.script.archive import (
    MODULE_SUFFIXES,
    checked_path,
    is_archive,
    main_module,
    unpack,
)
from fusillade.settings import Settings

_DEFAULT_ENTRY = "script.js"
_OTHER_FIELDS_BYTES = 256 << 10
_MOST_VARIABLES = 100
_MOST_VARIABLE_BYTES = 64 << 10
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "script", "workers", "duration"],
    "properties": {
        "name": {"type": "string", "description": "Test name"},
        "script": {
            "type": "string",
            "format": "binary",
            "description": "JavaScript or TypeScript test script, as a file or as text; or one ZIP "
            "with all files of the test",
        },
        "workers": {"type": "integer", "minimum": 1},
        "duration": {"type": "integer", "minimum": 1, "description": "Seconds"},
        "region": {"type": "string", "description": REGION_DESCRIPTION},
        "start": {
            "type": "boolean",
            "default": False,
            "description": "Start it as soon as it is ready, whoever waits (an extension of the "
            "reference); with wait=true the answer comes at its end",
        },
        "assets": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "Further modules and data files; each file's name is its path inside "
            "the test, as import and open() have it",
        },
        "entry": {
            "type": "string",
            "description": "Path of the main module. Without it: the script; in a ZIP the only "
            "module at the top, or the one called main, index, script or test",
        },
        "env": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Variables for __ENV, each as KEY=VALUE; or all of them as one JSON "
            "object",
        },
    },
}
"""The form as OpenAPI has it."""


class _Fields(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    workers: Annotated[int, Field(ge=1)]
    duration: Annotated[int, Field(ge=1)]
    region: Region | None = None
    start: bool = False


class TestForm(BaseModel):
    """What the form says."""

    __test__ = False  # its name is not meant for pytest

    name: str
    workers: int
    duration: int
    region: str | None
    start: bool
    entry: str
    files: dict[str, bytes]
    """By path inside the test; ``entry`` is one of them."""
    env: dict[str, str]


@dataclass(frozen=True, slots=True)
class Script:
    """A test's files as they were uploaded."""

    entry: str
    files: dict[str, bytes]
    """By path inside the test; ``entry`` is one of them."""
    env: dict[str, str]


async def read_test_form(request: Request, settings: Settings) -> TestForm:
    """Read and check the form. ``vus`` is another name for ``workers``.

    Raises :class:`ValidationFailed`, :class:`ScriptTooLarge`.
    """
    async with _opened(request, settings) as form:
        script = await _read_script(form, settings)
        fields = _checked(form)
    return TestForm(**fields.model_dump(), entry=script.entry, files=script.files, env=script.env)


async def read_script_form(request: Request, settings: Settings) -> Script:
    """Read the files and variables of the form alone. Raises as :func:`read_test_form`."""
    async with _opened(request, settings) as form:
        return await _read_script(form, settings)


@contextlib.asynccontextmanager
async def _opened(request: Request, settings: Settings) -> AsyncIterator[FormData]:
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        raise ValidationFailed("Send the fields as multipart/form-data.")
    most_bytes = settings.max_test_bytes + _OTHER_FIELDS_BYTES
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most_bytes:
        raise _all_too_large(settings)
    limited = Request(request.scope, _limited(request.receive, most_bytes, settings))
    try:
        async with limited.form(
            max_files=settings.max_test_files,
            max_fields=20 + _MOST_VARIABLES,
            max_part_size=settings.max_script_bytes + 1,
        ) as form:
            yield form
    except (MultiPartException, HTTPException) as error:
        words = error.message if isinstance(error, MultiPartException) else error.detail
        if "size" in words:
            raise _script_too_large(settings) from error
        raise ValidationFailed(f"The form cannot be read: {words}") from error


async def _read_script(form: FormData, settings: Settings) -> Script:
    files, entry = await _files(form, settings)
    return Script(entry, files, _variables(form))


def _limited(receive: Receive, most_bytes: int, settings: Settings) -> Receive:
    """The body of a request, as long as it is not too long: its length may not be told before."""
    left = most_bytes

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _all_too_large(settings)
        return message

    return limited


def _checked(form: FormData) -> _Fields:
    values = {name: value for name, value in form.items() if isinstance(value, str) and value}
    if "workers" not in values and "vus" in values:
        values["workers"] = values["vus"]
    try:
        return _Fields.model_validate(values)
    except ValidationError as error:
        raise ValidationFailed(describe(error.errors())) from error


# ---- files ---------------------------------------------------------------------------------------


async def _files(form: FormData, settings: Settings) -> tuple[dict[str, bytes], str]:
    """All files of the test, and the path of the main module."""
    path, content = await _script(form)
    named = form.get("entry")
    if not isinstance(named, str) or not named.strip():
        named = None
    if is_archive(content):
        files = await asyncio.to_thread(
            unpack, content, most_files=settings.max_test_files, most_bytes=settings.max_test_bytes
        )
        path = main_module(files, named)
    else:
        files = {path: content}
        named = named or path
    await _add_assets(form, files)
    entry = main_module(files, named or path)
    if not files[entry].strip():
        raise ValidationFailed("script is empty.")
    for module, text in files.items():
        if module.endswith(MODULE_SUFFIXES) and len(text) > settings.max_script_bytes:
            raise _script_too_large(settings, module)
    if len(files) > settings.max_test_files:
        raise ValidationFailed(f"A test may have {settings.max_test_files:,} files.")
    if sum(map(len, files.values())) > settings.max_test_bytes:
        raise _all_too_large(settings)
    return files, entry


async def _script(form: FormData) -> tuple[str, bytes]:
    given = form.get("script")
    if isinstance(given, UploadFile):
        return _script_path(given.filename or ""), await given.read()
    if given:
        return _DEFAULT_ENTRY, given.encode()
    raise ValidationFailed(
        "script is missing: send the JavaScript as a file (-F script=@test.js) or as text."
    )


def _script_path(filename: str) -> str:
    """Where the script lies inside the test. Clients differ in how much of a path they send."""
    try:
        path = relative_path(filename)
    except ValueError:
        path = PurePosixPath(filename.replace("\\", "/")).name
    return path if path.endswith(MODULE_SUFFIXES) else _DEFAULT_ENTRY


async def _add_assets(form: FormData, files: dict[str, bytes]) -> None:
    for asset in form.getlist("assets"):
        if not isinstance(asset, UploadFile):
            raise ValidationFailed(
                "assets: send files (-F 'assets=@users.csv;filename=data/users.csv')."
            )
        path = checked_path(asset.filename or "")
        if path in files:
            raise ValidationFailed(f"assets: the test has '{path}' more than once.")
        files[path] = await asset.read()


def _script_too_large(settings: Settings, path: str | None = None) -> ScriptTooLarge:
    what = "The script" if path is None else f"The script {path}"
    return ScriptTooLarge(f"{what} is larger than {settings.max_script_bytes:,} bytes.")


def _all_too_large(settings: Settings) -> ScriptTooLarge:
    return ScriptTooLarge(
        f"The test's files have more than {settings.max_test_bytes:,} bytes together."
    )


# ---- variables -----------------------------------------------------------------------------------


def _variables(form: FormData) -> dict[str, str]:
    """What ``env`` fields say; a later one wins."""
    found: dict[str, str] = {}
    for given in form.getlist("env"):
        if not isinstance(given, str):
            raise ValidationFailed("env: send text, not a file.")
        if given.lstrip().startswith("{"):
            found |= _variables_of_json(given)
        elif given.strip():
            name, equals, value = given.partition("=")
            if not equals:
                raise ValidationFailed("env must be KEY=VALUE or a JSON object.")
            found[name] = value
    for name, value in found.items():
        if _VARIABLE.fullmatch(name) is None:
            shown = re.sub(r"[^ -~]", "?", name[:80])
            raise ValidationFailed(
                f"env: '{shown}' cannot be a variable's name; use letters, digits and _."
            )
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ValidationFailed(f"env: the value of {name} has NUL or half a character in it.")
    if len(found) > _MOST_VARIABLES or sum(map(len, found.values())) > _MOST_VARIABLE_BYTES:
        raise ValidationFailed(
            f"env: a test may have {_MOST_VARIABLES} variables with {_MOST_VARIABLE_BYTES:,} "
            "characters together."
        )
    return found


def _variables_of_json(text: str) -> dict[str, str]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationFailed("env is not valid JSON.") from error
    found = {}
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            raise ValidationFailed(f"env.{name} must be a text.")
        found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
