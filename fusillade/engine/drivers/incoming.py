"""Responses of HTTP/1.x: parsed piece by piece, or known by their head."""

import httptools


class Incoming:
    """A response that is parsed piece by piece (httptools calls the ``on_`` methods)."""

    def __init__(self, is_head: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = is_head
        self._headers: list[bytes] = []
        self._reason = b""
        self._body: list[bytes] = []
        self._has_length = False
        self.in_body = False
        self.done = False
        self.keep_alive = True
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Raises ``httptools.HttpParserError`` for what is not HTTP."""
        self._parser.feed_data(data)

    def end(self) -> bool:
        """The connection was closed; whether that is how this response ends."""
        if self.in_body and not self._has_length:
            self.done = True
            self.keep_alive = False
        return self.done

    def on_message_begin(self) -> None:
        if self.done:
            # Bytes after the end: they belong to no answer, and nobody can trust what follows.
            self.keep_alive = False

    def on_status(self, reason: bytes) -> None:
        if not self.done:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_body:
            return  # a trailer
        self._headers.append(name + b": " + value)
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        if self.done:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200 and self.status != 101:
            return
        self.in_body = True
        self.keep_alive = self._parser.should_keep_alive()
        if self._is_head or self.status in (204, 304):
            self._has_length = True
            self.done = True

    def on_body(self, body: bytes) -> None:
        if not self.done:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.in_body:
            self.done = True
            return
        self._headers.clear()
        self._reason = b""
        self._has_length = False

    def content(self) -> tuple[bytes, int]:
        """Head and body, and the length of the head."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, self._reason), *self._headers]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        return head + b"".join(self._body), len(head)


_SPECIAL = (b"transfer-encoding", b"connection", b"content-encoding")


def facts_of(head: bytes) -> tuple[int, int, bool] | None:
    """Status, length, and whether cookies are set, of a response with this head.

    None unless it is a plain final response with one ``Content-Length`` on a connection that
    stays open.
    """
    lines = head[:-4].split(b"\r\n")
    status_line = lines[0]
    if not status_line.startswith(b"HTTP/1.1 ") or not status_line[9:12].isdigit():
        return None
    status = int(status_line[9:12])
    if status < 200 or status in (204, 304):
        return None
    length = None
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name in _SPECIAL or name != name.strip():
            if name == b"connection" and value.strip().lower() == b"keep-alive":
                continue
            return None
        if name == b"content-length":
            value = value.strip()
            if length is not None or not value.isdigit():
                return None
            length = int(value)
    return None if length is None else (status, length, b"\r\nset-cookie:" in head.lower())
