"""A recording of a browser becomes a script that sends what the pages sent."""

import json
from typing import Any

import pytest
from aiohttp import web
from conversions import converted, sent
from recorder import Received, recording

from fusillade.converters.model import Choices
from fusillade.errors import ValidationFailed


def entry(method: str, url: str, *, status: int = 200, second: float = 0, **more: Any) -> Any:
    """One exchange, with Chrome's headers."""
    request = {
        "method": method,
        "url": url,
        "headers": [
            {"name": ":authority", "value": "h"},
            {"name": "sec-fetch-mode", "value": "cors"},
            {"name": "accept-language", "value": "de"},
            *({"name": n, "value": v} for n, v in more.pop("headers", {}).items()),
        ],
    }
    if "body" in more:
        request["postData"] = {"mimeType": more.pop("kind"), "text": more.pop("body")}
    response = {
        "status": status,
        "headers": [{"name": n, "value": v} for n, v in more.pop("answer", {}).items()],
        "content": {"mimeType": more.pop("type", "application/json")},
        "redirectURL": more.pop("to", ""),
    }
    started = f"2026-01-01T00:00:{second:06.3f}Z"
    return {
        "request": request,
        "response": response,
        "startedDateTime": started,
        "time": 100,
        **more,
    }


def har(*entries: Any, pages: tuple[str, ...] = ()) -> str:
    listed = [{"id": page, "title": f"Page {page}"} for page in pages]
    return json.dumps({"log": {"version": "1.2", "pages": listed, "entries": entries}})


async def test_the_requests_of_pages_are_sent_without_assets_and_what_the_engine_does_itself() -> (
    None
):
    def answer(received: Received) -> web.Response:
        if received.target == "/login":
            return web.Response(
                status=302, headers={"Location": "/home", "Set-Cookie": "sid=new; Path=/"}
            )
        return web.Response(status=201 if received.target == "/api/items" else 200)

    async with recording(answer) as server:
        url = server.url
        source = har(
            entry("GET", f"{url}/", pageref="a", type="text/html"),
            entry("GET", f"{url}/app.js?v=1", pageref="a", type="text/javascript"),
            entry("GET", f"{url}/logo", pageref="a", _resourceType="image"),
            entry(
                "POST",
                f"{url}/login",
                status=302,
                pageref="a",
                to="/home",
                kind="application/x-www-form-urlencoded",
                body="user=bob&password=hunter2",
                headers={"Cookie": "theme=dark"},
                answer={"Set-Cookie": "sid=old; Path=/"},
            ),
            entry("GET", f"{url}/home", pageref="b", type="text/html"),
            entry(
                "OPTIONS",
                f"{url}/api/items",
                pageref="b",
                headers={"Access-Control-Request-Method": "POST"},
            ),
            entry(
                "POST",
                f"{url}/api/items",
                status=201,
                pageref="b",
                kind="application/json;charset=utf-8",
                body='{"name":"x","n":[1,null]}',
                headers={
                    "Content-Type": "application/json;charset=utf-8",
                    "Authorization": "Bearer abc.def",
                    "Cookie": "sid=old; theme=dark",
                },
            ),
            pages=("a", "b"),
        )
        script = converted(source)
        for secret in ("hunter2", "abc.def", "theme=dark", "sid=old"):
            assert secret not in script
        run = await sent(script, {"PASSWORD": "pw", "TOKEN": "t", "COOKIE": "theme=light"})
    assert server.lines() == ["GET /", "POST /login", "GET /home", "POST /api/items"]
    first, login, home, items = server.received
    assert first.headers["accept-language"] == "de"
    assert not any(name.startswith("sec-") for name in first.headers)
    assert login.body == b"user=bob&password=pw"
    assert home.headers["cookie"] == "theme=light; sid=new"
    assert items.headers["authorization"] == "Bearer t"
    assert items.headers["cookie"] == "theme=light; sid=new"
    assert json.loads(items.body) == {"name": "x", "n": [1, None]}
    assert [check.fails for check in run.summary.checks] == [0] * 3
    assert "group('Page a', " in script
    assert "Left out: 2 requests, an image, style, script or font" in script


def test_think_times_are_those_between_the_end_of_one_request_and_the_next() -> None:
    source = har(
        entry("GET", "http://h/a", second=0),
        entry("GET", "http://h/b", second=2.6),
        entry("GET", "http://h/c", second=2.65),
    )
    assert "sleep(2.5);" in converted(source, Choices(think_time=True))
    assert "sleep(2.5);" not in converted(source)


@pytest.mark.parametrize(
    ("choices", "kept"),
    [
        (Choices(only=("api.test",)), ["/users", "/logout"]),
        (Choices(skip=("*.example", "/logout")), ["/users"]),
        (Choices(only=("http://api.test/u*",)), ["/users"]),
    ],
)
def test_only_and_skip_choose_by_host_path_or_address(choices: Choices, kept: list[str]) -> None:
    script = converted(
        har(
            entry("GET", "http://api.test/users"),
            entry("GET", "http://api.test/logout"),
            entry("GET", "http://stats.example/beacon"),
        ),
        choices,
    )
    assert [path for path in ("/users", "/logout", "/beacon") if f"// GET {path}" in script] == kept


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('{"log": {}}', "source: log has no 'entries'."),
        ('{"log": {"entries": [{}]}}', r"source: log.entries\[0\] has no 'request'."),
        ('{"log": {"entries": [1]}}', r"source: log.entries\[0\] has to be an object."),
        ('{"log": \n [', "source:2:3: this is no JSON"),
        ('{"a": 1}', "source is none of the formats har"),
        (har(entry("GET", "http://h/x.png")), "leaves no request to make a test of. Left out: 1"),
    ],
)
def test_what_is_no_recording_is_told_with_its_place(source: str, sentence: str) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        converted(source)
