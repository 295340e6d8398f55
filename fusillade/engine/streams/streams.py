"""All lasting connections of a script host: what the runtime asks for, and what it is told.

A connection is named by a number of the runtime's (runtime/connections.js). Whoever calls `recv`,
`send` or `connect` waits in a slot of the exchange until an event for that slot comes.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from fusillade.blocklist import Blocklist
from fusillade.engine.exchange import Exchange, Kind
from fusillade.engine.streams.client import make_session
from fusillade.engine.streams.connection import NOBODY, Connection, Wait
from fusillade.engine.streams.events import Event
from fusillade.engine.streams.meter import Meter
from fusillade.engine.streams.sse import EventSource
from fusillade.engine.streams.websocket import WebSocket
from fusillade.engine.streams.wire import Asked, Wire
from fusillade.metrics.recorder import Recorder

_decode_asked = msgspec.json.Decoder(Asked).decode


class Streams:
    """Used from the event loop's thread only.

    ``on_ready`` is called when :meth:`advance` has something to tell, ``on_fatal`` when a task
    of ours has failed in a way that nobody foresaw.
    """

    def __init__(
        self,
        on_ready: Callable[[], None],
        on_fatal: Callable[[Exception], None],
        *,
        user_agent: str,
        verify: bool = True,
        authorities: str = "",
        max_redirects: int = 10,
        blocklist: Blocklist | None = None,
    ) -> None:
        self._on_ready = on_ready
        self._on_fatal = on_fatal
        self._max_redirects = max_redirects
        self._loop = asyncio.get_running_loop()
        self._session = make_session(user_agent, verify, authorities, blocklist)
        self._connections: dict[int, Connection] = {}
        self._waiting: dict[int, Wait] = {}
        self._meters: dict[tuple[str, tuple[tuple[str, str], ...]], Meter] = {}
        self._events: deque[tuple[int, Event, int, bytes]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def carry_out(
        self, kind: Kind, slot: int, number: int, argument: float, data: memoryview
    ) -> int:
        """Do what the script asked for; returns how many bytes of ``data`` belonged to it."""
        length = 0 if kind in (Kind.RECEIVE, Kind.CLOSE) else int(argument)
        content = bytes(data[:length])
        if kind == Kind.OPEN:
            self._open(number, _decode_asked(content), self._wait(slot))
            return length
        connection = self._connections.get(number)
        if kind == Kind.CLOSE:
            if connection is not None:
                del self._connections[number]
                self._begin(connection.close())
        elif connection is None:
            event = Event.ENDED if kind == Kind.RECEIVE else Event.NOT_SENT
            self._tell(self._wait(slot), event, number, b"")
        elif kind == Kind.RECEIVE:
            connection.receive(self._wait(slot), argument)
        else:
            if kind == Kind.SEND_BASE64:
                content = base64.b64decode(content)
            binary = kind != Kind.SEND_TEXT
            self._begin(connection.send(self._wait(slot), content, binary))
        return length

    def cancel(self, slot: int) -> None:
        """Whoever waits in ``slot`` waits no more: no event follows."""
        if self._waiting.pop(slot, None) is None and self._events:
            self._events = deque(event for event in self._events if event[0] != slot)

    def advance(self, exchange: Exchange) -> bool:
        """Put what has happened into the exchange; True when it was more than fits."""
        events = self._events
        while events:
            if not exchange.deliver(*events[0]):
                return True
            events.popleft()
        return False

    def flush(self, recorder: Recorder) -> None:
        """Hand over what was measured since the last time."""
        for meter in self._meters.values():
            meter.flush(recorder)

    def close(self) -> None:
        """Drop everything."""
        for connection in self._connections.values():
            connection.task.cancel()
        for task in self._tasks:
            task.cancel()
        self._connections.clear()
        self._waiting.clear()
        self._events.clear()
        if self._session.connector is not None:
            self._session.connector.close()

    def _open(self, number: int, asked: Asked, opening: Wait) -> None:
        key = (asked.protocol, tuple(sorted(asked.tags.items())))
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter(asked.protocol, asked.tags)
        connection = Connection(number, asked, self._wire(asked), meter, self._tell, opening)
        self._connections[number] = connection
        self._watch(connection.task)

    def _wire(self, asked: Asked) -> Wire:
        match asked.protocol:
            case "ws":
                return WebSocket(self._session, asked)
            case "sse":
                return EventSource(self._session, asked, self._max_redirects)
        raise ValueError(f"the script's runtime asked for an unknown protocol {asked.protocol}")

    def _wait(self, slot: int) -> Wait:
        wait = self._waiting[slot] = Wait(slot)
        return wait

    def _tell(self, wait: Wait, event: Event, number: int, content: bytes) -> bool:
        if wait is not NOBODY:
            if self._waiting.get(wait.slot) is not wait:
                return False
            del self._waiting[wait.slot]
        self._events.append((wait.slot, event, number, content))
        self._on_ready()
        return True

    # ---- tasks ---------------------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._watch(self._loop.create_task(work))

    def _watch(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception()
            if isinstance(error, Exception):
                self._on_fatal(error)
