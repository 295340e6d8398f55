"""How long a JSON body may be: it is read whole before anything else looks at it.

Forms have a limit of their own (:mod:`api.test_form`).
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fusillade.errors import ScriptTooLarge
from fusillade.settings import Settings

_ESCAPED_BYTES = 6
"""What JSON may make of one byte of a script: ``\\u000a``."""
_OTHER_FIELDS_BYTES = 256 << 10


class BodyLimit:
    """Middleware around the application. The error is raised where the body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._most_bytes = settings.max_script_bytes * _ESCAPED_BYTES + _OTHER_FIELDS_BYTES
        self._error = (
            f"The body is longer than any script may be, {settings.max_script_bytes:,} bytes."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a body that ends in an error where it is too long."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-type", "").startswith("multipart/form-data"):
            await self._app(scope, receive, send)
            return
        told = headers.get("content-length", "")
        left = self._most_bytes
        is_too_long = told.isdecimal() and int(told[:20]) > left

        async def limited() -> Message:
            nonlocal left
            if is_too_long:
                raise ScriptTooLarge(self._error)
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise ScriptTooLarge(self._error)
            return message

        await self._app(scope, limited, send)
