"""Sends failed requests again, one by one, by libcurl."""

import io
from collections.abc import Callable, Mapping

import msgspec
import pycurl

from fusillade import __version__
from fusillade.failures.capture import MOST_BYTES, Capture, fields_of
from fusillade.failures.masking import Masker
from fusillade.failures.outgoing import Outgoing, filled, json_escaped, percent_encoded
from fusillade.failures.record import FailedRequest, Received

_MOST_RECEIVED = 64 << 20
_PROTOCOLS = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request this time."""

    ok: bool
    """Whether it has succeeded: an answer below 400, and no check that would fail as it did."""
    words: str
    """Why, in a few of them."""
    sent: bool = True
    response: Received | None = None
    duration_ms: float | None = None


def replay(
    record: FailedRequest,
    request: Outgoing,
    variables: Mapping[str, str],
    *,
    timeout_seconds: float,
    insecure: bool = False,
) -> Now:
    """Send a request once, with its placeholders filled from ``variables``. Redirects are not
    followed: each hop is a request of its own in a run."""
    if request.missing_bytes is not None:
        size = f"{request.missing_bytes:,} bytes"
        return _not_sent(f"its body of {size} was not kept whole")
    needed = request.placeholders()
    missing = [name for name in needed if not variables.get(name)]
    if missing:
        return _not_sent(f"set {missing[0]}: {needed[missing[0]]}")
    curl, head, content = pycurl.Curl(), io.BytesIO(), io.BytesIO()
    try:
        _prepare(curl, request, variables, timeout_seconds, insecure)
        curl.setopt(pycurl.HEADERFUNCTION, head.write)
        curl.setopt(pycurl.WRITEDATA, content)
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        duration = round(curl.getinfo(pycurl.TOTAL_TIME) * 1000, 3)
    except pycurl.error as error:
        return Now(ok=False, words=f"no answer: {str(error.args[1]).rstrip('.')}")
    finally:
        curl.close()
    masker = Masker({})
    for name in needed:
        masker.note(variables[name])
    capture = Capture(masker)
    raw = content.getvalue()
    headers, body = capture.headers(fields_of(head.getvalue())), raw[:MOST_BYTES]
    response = capture.received(status, headers, capture.body(body, len(raw)))
    ok, words = _judged(record, response)
    return Now(ok=ok, words=words, response=response, duration_ms=duration)


def _judged(record: FailedRequest, response: Received) -> tuple[bool, str]:
    """Whether it has succeeded. A check is the script's, and cannot be asked here: of the same
    answer it would say the same."""
    words = f"status {response.status}"
    if response.status >= 400:
        return False, words
    if record.check is None or record.response is None:
        return True, words
    then = record.response
    if (then.status, then.body) == (response.status, response.body):
        return False, f"{words}, the same answer, so the check fails again"
    return True, f"{words}, another answer than then; the check was not asked"


def _not_sent(reason: str) -> Now:
    return Now(ok=False, words=f"not sent: {reason}", sent=False)


def _prepare(
    curl: pycurl.Curl,
    request: Outgoing,
    variables: Mapping[str, str],
    timeout_seconds: float,
    insecure: bool,
) -> None:
    given = {name.lower(): filled(parts, variables) for name, parts in request.headers}
    curl.setopt(pycurl.URL, filled(request.url, variables, percent_encoded))
    curl.setopt(pycurl.PROTOCOLS, _PROTOCOLS)
    curl.setopt(pycurl.PATH_AS_IS, 1)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT_MS, int(timeout_seconds * 1000))
    curl.setopt(pycurl.MAXFILESIZE, _MOST_RECEIVED)
    curl.setopt(pycurl.ACCEPT_ENCODING, "")
    curl.setopt(pycurl.USERAGENT, f"fusillade/{__version__}")
    if insecure:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    lines = []
    for name, parts in request.headers:
        value = filled(parts, variables)
        lines.append(f"{name}: {value}" if value else f"{name};")
    if request.body is not None:
        content = filled(request.body, variables, _writer(request)).encode()
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(content))
        curl.setopt(pycurl.COPYPOSTFIELDS, content)
        if "content-type" not in given:
            lines.append("Content-Type:")
    elif request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding:")
    curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    curl.setopt(pycurl.HTTPHEADER, [line.encode("utf-8") for line in lines])


def _writer(request: Outgoing) -> Callable[[str], str]:
    """How a value is put down in the body."""
    if request.is_form:
        return percent_encoded
    return json_escaped if request.is_json else str
