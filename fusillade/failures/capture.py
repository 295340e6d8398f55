"""What is kept of a request and of its response: secrets masked, then cut to size."""

from collections.abc import Iterable

from fusillade.failures.masking import Masker
from fusillade.failures.record import MOST_TEXT, Body, Header, Received, Sent

MOST_BYTES = 4096
"""Of a body that are looked at, as in runtime/failures.js: more than are kept, so that what is cut
off does not begin within a secret."""
_MOST_HEADERS = 60
_LONGEST_VALUE = 1024
_LONGEST_URL = 4096


class Capture:
    """Of one exchange. All parts are given before one is taken: a secret of one goes from all."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def headers(self, fields: Iterable[tuple[str, str]]) -> list[Header]:
        """The lines of a head."""
        return [self._masker.header(name, value) for name, value in fields]

    def body(self, content: bytes, size: int) -> Body:
        """A body of so many bytes, or the first MOST_BYTES of it."""
        try:
            text, is_text = content.decode(), b"\0" not in content
        except UnicodeDecodeError as error:
            text = content.decode("utf-8", "replace")
            # The end may be in the midst of a character.
            is_text = size > len(content) and error.start > len(content) - 4
        text = self._masker.body(text.replace("\0", "\ufffd"))
        return Body(text=text, size_bytes=size, whole=is_text and len(content) == size)

    def sent(self, method: str, url: str, headers: list[Header], body: Body | None) -> Sent:
        """The request as it is kept; ``url`` as :meth:`Masker.url` gives it."""
        return Sent(
            method=method,
            url=self._masker.everywhere(url)[:_LONGEST_URL],
            headers=self._kept(headers),
            body=None if body is None else self._cut(body),
        )

    def received(self, status: int, headers: list[Header], body: Body) -> Received:
        """The response as it is kept."""
        return Received(status=status, headers=self._kept(headers), body=self._cut(body))

    def _kept(self, headers: list[Header]) -> list[Header]:
        return [
            Header(header.name, self._masker.everywhere(header.value)[:_LONGEST_VALUE])
            for header in headers[:_MOST_HEADERS]
        ]

    def _cut(self, body: Body) -> Body:
        text = self._masker.everywhere(body.text)
        return Body(
            text=text[:MOST_TEXT],
            size_bytes=body.size_bytes,
            whole=body.whole and len(text) <= MOST_TEXT,
        )


def fields_of(head: bytes) -> list[tuple[str, str]]:
    """The lines of a head, of its last block: interim (1xx) answers come before it."""
    blocks = [block for block in head.decode("latin-1").split("\r\n\r\n") if block]
    lines = blocks[-1].split("\r\n")[1:] if blocks else []
    pairs = (line.partition(":") for line in lines)
    return [(name, value.strip()) for name, colon, value in pairs if colon]
