"""One connection of a script: what has come in and who waits, whatever the protocol.

A task reads all the time, so that pings are answered while the script does something else; it
stops while enough is held, and then the kernel's window closes on the sender.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from fusillade.engine.streams.events import Event
from fusillade.engine.streams.failures import CONNECT_ERRORS, Failure, Refused, failure_of
from fusillade.engine.streams.meter import Meter
from fusillade.engine.streams.wire import Asked, Lost, Message, Opened, Wire

_MOST_HELD_BYTES = 64 << 10
_MOST_HELD_MESSAGES = 256
_MOST_DOUBLINGS = 5
_GOODBYE_SECONDS = 2.0


class Wait:
    """A coroutine of the script, by its slot, that waits for an event; slot -1 is nobody."""

    __slots__ = ("slot", "timer")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.timer: asyncio.TimerHandle | None = None


NOBODY = Wait(-1)

Tell = Callable[[Wait, Event, int, bytes], bool]
"""Called with who waits, what has happened, the connection's number and the event's content.
False when the coroutine waits no more: then nothing was told."""


class Connection:
    """Opens at once; ``tell`` is called for everything that happens."""

    def __init__(
        self, number: int, asked: Asked, wire: Wire, meter: Meter, tell: Tell, opening: Wait
    ) -> None:
        self._number = number
        self._asked = asked
        self._wire = wire
        self._meter = meter
        self._tell_script = tell
        self._loop = asyncio.get_running_loop()
        self._held: deque[Message] = deque()
        self._held_bytes = 0
        self._room = asyncio.Event()
        self._readers: deque[Wait] = deque()
        self._opened_at: float | None = None
        self._over = False
        self._settled = asyncio.Event()
        """Set when it is known whether something can be sent: when open, and when over."""
        self._retries = 0
        self.task = self._loop.create_task(self._live(opening))

    # ---- what the script asks for ------------------------------------------------------------

    def receive(self, wait: Wait, timeout_ms: float) -> None:
        """Tell ``wait`` the next message; NOTHING after ``timeout_ms`` (below 0: never)."""
        self._readers.append(wait)
        if timeout_ms >= 0:
            wait.timer = self._loop.call_later(timeout_ms / 1000, self._give_up, wait)
        self._hand_out()

    async def send(self, wait: Wait, content: bytes, binary: bool) -> None:
        """Send as soon as there is a connection and the other side takes something."""
        event = Event.NOT_SENT
        await self._settled.wait()
        if not self._over:
            try:
                length = await self._wire.send(content, binary)
            except Lost:
                pass  # the reading task sees it as well, and sees to it
            else:
                event = Event.SENT
                self._meter.sent += 1
                self._meter.bytes_sent += length
        self._tell(wait, event)

    def close(self) -> Coroutine[Any, Any, None]:
        """End at once for the script; what is returned says goodbye to the other side."""
        self._held.clear()
        self._end()
        self.task.cancel()
        return self._say_goodbye()

    async def _say_goodbye(self) -> None:
        await asyncio.wait([self.task])
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._wire.close()
        except CONNECT_ERRORS:
            pass  # the other side had gone without a word, or says none

    # ---- its life ------------------------------------------------------------------------------

    async def _live(self, opening: Wait) -> None:
        outcome = await self._open()
        if isinstance(outcome, Failure):
            self._over = True
            self._settled.set()
            self._tell(opening, Event.FAILED, msgspec.json.encode(outcome))
            return
        self._settled.set()
        self._tell(opening, Event.OPENED, msgspec.json.encode(outcome))
        while True:
            code = await self._read_until_lost()
            self._end_session()
            self._settled.clear()
            self._tell(NOBODY, Event.LOST, msgspec.json.encode({"closeCode": code}))
            again = await self._open_again()
            if again is None:
                break
            self._settled.set()
            self._tell(NOBODY, Event.OPENED, msgspec.json.encode(again))
        self._end()

    async def _open(self) -> Opened | Failure:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._asked.timeout_ms / 1000 or None):
                opened = await self._wire.open()
        except (*CONNECT_ERRORS, Refused) as error:
            self._meter.failed.append(1.0)
            return failure_of(error)
        self._opened_at = time.monotonic()
        self._meter.failed.append(0.0)
        self._meter.connecting_ms.append((self._opened_at - began) * 1000)
        return opened

    async def _open_again(self) -> Opened | None:
        """Connect anew, with growing pauses; None when that is not to be, or not possible."""
        while self._retries < self._asked.max_retries:
            first = self._wire.retry_delay_ms
            delay = self._asked.retry_delay_ms if first is None else first
            await asyncio.sleep(delay * 2 ** min(self._retries, _MOST_DOUBLINGS) / 1000)
            self._retries += 1
            outcome = await self._open()
            if isinstance(outcome, Opened):
                return outcome
        return None

    async def _read_until_lost(self) -> int | None:
        """Read as long as it goes; the code that it was closed with."""
        while True:
            try:
                message = await self._wire.receive()
            except Lost as lost:
                return lost.close_code
            self._retries = 0
            self._meter.received += 1
            self._meter.bytes_received += message.wire_bytes
            self._held.append(message)
            self._held_bytes += len(message.content)
            self._hand_out()
            while self._held_bytes > _MOST_HELD_BYTES or len(self._held) >= _MOST_HELD_MESSAGES:
                self._room.clear()
                await self._room.wait()

    def _hand_out(self) -> None:
        """Give what is held to those who wait for it."""
        while self._held and self._readers:
            message = self._held[0]
            if self._tell(self._readers.popleft(), Event(message.kind), message.content):
                self._held.popleft()
                self._held_bytes -= len(message.content)
                self._room.set()
        if self._over:
            while self._readers:
                self._tell(self._readers.popleft(), Event.ENDED)

    def _give_up(self, wait: Wait) -> None:
        wait.timer = None
        if wait in self._readers:
            self._readers.remove(wait)
            self._tell(wait, Event.NOTHING)

    def _end_session(self) -> None:
        if self._opened_at is not None:
            self._meter.session_ms.append((time.monotonic() - self._opened_at) * 1000)
            self._opened_at = None

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        self._end_session()
        self._settled.set()
        self._hand_out()
        # What is held may still be read; when it has been, the reader is told.

    def _tell(self, wait: Wait, event: Event, content: bytes = b"") -> bool:
        if wait.timer is not None:
            wait.timer.cancel()
            wait.timer = None
        return self._tell_script(wait, event, self._number, content)
