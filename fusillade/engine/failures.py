"""A failed request, read from what the runtime has written into the exchange
(``runtime/failures.js``)."""

from collections.abc import Mapping

from fusillade.engine.drivers.base import Template
from fusillade.failures.capture import MOST_BYTES, Capture, fields_of
from fusillade.failures.masking import MASK, Masker
from fusillade.failures.record import FailedRequest, Header, Timings
from fusillade.metrics.live import timestamp
from fusillade.metrics.requests import ERROR_CODES

_LONGEST_NAME = 512
_COUNTS = 11
"""Numbers before the timings."""


class Failure:
    """One of them: its texts as bytes, and its numbers."""

    def __init__(self, data: bytes, numbers_length: int) -> None:
        """``data``: endpoint, check, request body, response head and body, and at last, in
        ``numbers_length`` bytes, the numbers as text."""
        texts = len(data) - numbers_length
        numbers = data[texts:].split(b" ")
        counts = [int(float(number)) for number in numbers[:_COUNTS]]
        self.template, self.series, self._worker, self._status, self._error = counts[:5]
        self._sends_cookies, name, check, self._body_size, head, self._response_size = counts[5:]
        self._timings = Timings(*(round(float(number), 3) for number in numbers[_COUNTS:]))
        parts, at = [], 0
        for length in (name, check, min(max(self._body_size, 0), MOST_BYTES), head):
            parts.append(data[at : at + length])
            at += length
        self._name, self._check, self._body, self._head = parts
        self._content = data[at:texts]

    def record(
        self, template: Template, tags: Mapping[str, str], env: Mapping[str, str]
    ) -> FailedRequest:
        """With all that is known of it; ``env`` are the test's variables, for secrets in them."""
        masker = Masker(env)
        capture = Capture(masker)
        url, headers = masker.url(template.url), capture.headers(template.headers)
        if self._sends_cookies:
            headers.append(Header("Cookie", MASK))
        body = None
        if self._body_size >= 0:
            body = capture.body(self._body, self._body_size)
        received = capture.headers(fields_of(self._head))
        content = capture.body(self._content, self._response_size)
        response = None
        if self._status > 0:
            response = capture.received(self._status, received, content)
        return FailedRequest(
            time=timestamp(),
            name=masker.everywhere(_text(self._name)),
            scenario=tags.get("scenario", ""),
            group=tags.get("group", ""),
            worker=self._worker,
            error=ERROR_CODES[self._error] or None,
            check=_text(self._check) or None,
            request=capture.sent(template.method, url, headers, body),
            response=response,
            timings_ms=self._timings,
        )


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")[:_LONGEST_NAME]
