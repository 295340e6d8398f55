"""Server-sent events (WHATWG HTML, section 9.2)."""

from collections import deque

import aiohttp
import msgspec

from fusillade.engine.streams.event_format import EventParser, ServerEvent
from fusillade.engine.streams.events import Event
from fusillade.engine.streams.failures import Refused
from fusillade.engine.streams.wire import MOST_MESSAGE_BYTES, Asked, Lost, Message, Opened


class EventSource:
    """A :class:`fusillade.engine.streams.wire.Wire`. The id of the last event goes along when it
    connects again, as ``Last-Event-ID``."""

    def __init__(self, session: aiohttp.ClientSession, asked: Asked, max_redirects: int) -> None:
        self._session = session
        self._asked = asked
        self._max_redirects = max_redirects
        self._response: aiohttp.ClientResponse | None = None
        self._parser = EventParser()
        self._ready: deque[ServerEvent] = deque()
        self._received = 0
        self.retry_delay_ms: float | None = None

    async def open(self) -> Opened:
        last_id = self._parser.last_id
        self._parser = EventParser()
        self._parser.last_id = last_id
        headers = [("Accept", "text/event-stream"), ("Cache-Control", "no-store")]
        given = {name.lower() for name, _ in self._asked.headers}
        headers = [pair for pair in headers if pair[0].lower() not in given]
        if last_id:
            headers.append(("Last-Event-ID", last_id))
        response = await self._session.get(
            self._asked.url,
            headers=[*headers, *self._asked.headers],
            allow_redirects=self._max_redirects > 0,
            max_redirects=self._max_redirects + 1,  # aiohttp raises when it is reached
        )
        if response.status != 200 or response.content_type != "text/event-stream":
            response.close()
            raise Refused(response.status)
        self._response = response
        return Opened(response.status)

    async def receive(self) -> Message:
        while not self._ready:
            await self._read()
        event = self._ready.popleft()
        received, self._received = self._received, 0
        return Message(Event.RECORD, msgspec.json.encode(event), received)

    async def _read(self) -> None:
        assert self._response is not None
        try:
            piece = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise Lost from error
        if not piece:
            raise Lost
        self._received += len(piece)
        self._ready.extend(self._parser.feed(piece))
        self.retry_delay_ms = self._parser.retry_ms
        if self._parser.held > MOST_MESSAGE_BYTES:
            raise Lost

    async def send(self, content: bytes, binary: bool) -> int:
        raise Lost  # nothing can be sent over an event stream

    async def close(self) -> None:
        if self._response is not None:
            self._response.close()
