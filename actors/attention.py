"""Waiting for a change that somebody may tell of, or that is found by looking."""

import asyncio

_LOOK_SECONDS = 2.0
"""How often one looks although nobody has called."""


class Attention:
    """Of one who waits."""

    def __init__(self) -> None:
        self._called = asyncio.Event()

    def call(self) -> None:
        """Something has changed: look now."""
        self._called.set()

    async def wait(self) -> None:
        """Until it is time to look."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._called.wait()
        except TimeoutError:
            return
        self._called.clear()
