"""Finding out whether a script could be run, a few at a time."""

import asyncio

from fusillade.hosting.messages import Loaded, Overrides
from fusillade.hosting.script_host import ScriptHost

_MEMORY_BYTES = 256 << 20


class Validator:
    """Starts a script host for each script; others wait while ``at_once`` are under way."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._seconds = seconds
        """How long the init code may run."""

    async def validate(
        self, files: dict[str, bytes], entry: str, env: dict[str, str], overrides: Overrides
    ) -> Loaded:
        """Compile a script and run its init code. Raises ``InvalidScript``."""
        async with self._turns, ScriptHost(memory_limit_bytes=_MEMORY_BYTES) as host:
            return await host.load(
                files, entry, env=env, overrides=overrides, timeout_seconds=self._seconds
            )
