"""Failed requests, as a run keeps them."""

from typing import Any

import msgspec

from fusillade.failures.masking import MASK
from fusillade.failures.record import FailedRequest

_TIMINGS = dict.fromkeys(
    ["duration", "blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving"], 1.5
)


def failed_request(
    url: str,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    body: str | None = None,
    whole: bool = True,
    status: int = 500,
    answer: str = '{"status":"no"}',
    **more: Any,
) -> FailedRequest:
    """One that was answered with ``status``, or with none if that is 0."""

    def lines(pairs: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in pairs.items()]

    def content(text: str) -> dict[str, Any]:
        return {"text": text, "size_bytes": len(text.encode()), "whole": whole}

    fields = {
        "time": "2026-02-06T12:00:00.000Z",
        "name": f"{method} {url}",
        "scenario": "default",
        "group": "",
        "worker": 1,
        "error": None if status else "ECONNREFUSED",
        "check": None,
        "request": {
            "method": method,
            "url": url,
            "headers": lines(headers or {"Authorization": f"Bearer {MASK}"}),
            "body": None if body is None else content(body),
        },
        "response": None
        if status == 0
        else {
            "status": status,
            "headers": lines({"Content-Type": "application/json"}),
            "body": content(answer) | {"whole": True},
        },
        "timings_ms": _TIMINGS,
    }
    return msgspec.convert(fields | more, FailedRequest)
