"""The event stream format (WHATWG HTML, section 9.2.6, "Interpreting an event stream")."""

import codecs

import msgspec


class ServerEvent(msgspec.Struct):
    """One event as it is dispatched."""

    event: str
    data: str
    id: str


class EventParser:
    """Takes a stream piece by piece; pieces may end anywhere, also within a character."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._first = True
        self._after_cr = False
        self._line: list[str] = []
        self._event = ""
        self._data: list[str] = []
        self.last_id = ""
        self.retry_ms: float | None = None
        """The reconnection time that the stream has set."""
        self.held = 0
        """Characters of the event that is not complete yet."""

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that this piece completes."""
        text = self._decode(piece)
        if self._first and text:
            self._first = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            # A line feed behind a carriage return belongs to the same line end.
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        self.held += len(text)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line.append(lines[0])
        found = []
        for line in lines[1:]:
            event = self._end_line("".join(self._line))
            if event is not None:
                found.append(event)
            self._line = [line]
        return found

    def _end_line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, colon, value = line.partition(":")
        if colon:
            value = value.removeprefix(" ")
        match field:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_ms = float(value)
        return None

    def _dispatch(self) -> ServerEvent | None:
        event, data = self._event, self._data
        self._event, self._data = "", []
        self.held = 0
        if not data:
            return None
        return ServerEvent(event or "message", "\n".join(data), self.last_id)
