"""The parent's end of a script host: starts the child, speaks to it, watches over it."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from fusillade.hosting.messages import Delta, Loaded, Log, Overrides


class ScriptHostDied(Exception):
    """The host is gone; the message says why, in words for the author of the script."""


class ScriptHost:
    """A child process that runs one script.

    Use as an async context manager: the child is dead on exit, whatever happened.
    """

    def __init__(
        self,
        *,
        memory_limit_bytes: int = 1 << 30,
        watchdog_seconds: float = 5.0,
    ) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def pid(self) -> int: ...

    async def load(
        self,
        files: dict[str, bytes],
        entry: str,
        *,
        env: dict[str, str] | None = None,
        overrides: Overrides = Overrides(),
        timeout_seconds: float = 10.0,
    ) -> Loaded:
        """Raises ``fusillade.errors.InvalidScript`` (also for a time-out), ``ScriptHostDied``."""

    async def setup(self) -> str:
        """Run ``setup()``; its JSON. Raises ``ScriptFailed``, ``ScriptHostDied``."""

    async def run(
        self, start_at: float, share_index: int, share_count: int, setup_data: str
    ) -> AsyncIterator[Delta | Log]:
        """Yields until the load is over. Raises ``ScriptFailed``, ``ScriptHostDied``."""

    async def stop(self, grace_seconds: float) -> None: ...

    async def teardown(self, setup_data: str) -> None: ...
