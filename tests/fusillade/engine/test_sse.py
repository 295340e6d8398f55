"""Event streams in scripts: the format, and streams of real servers."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from scripts import evaluate, run
from secure_target import server_context
from sockets import Handler, serving

from fusillade.engine.streams.event_format import EventParser


def parse(*pieces: bytes) -> list[tuple[str, str, str]]:
    """Event, data and id of each event."""
    parser = EventParser()
    return [(e.event, e.data, e.id) for piece in pieces for e in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("message", "a", "")]),
        (b"data: a\ndata:b\ndata\n\n", [("message", "a\nb\n", "")]),
        (b"data:  two spaces\n\n", [("message", " two spaces", "")]),
        (b"event: add\ndata: 1\nid: 7\n\ndata: 2\n\n", [("add", "1", "7"), ("message", "2", "7")]),
        (b": only a comment\n\nevent: nothing\n\ndata: x\n\n", [("message", "x", "")]),
        (b"data\n\n", [("message", "", "")]),
        (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "")]),
        (b"id: a\0b\ndata: x\n\n", [("message", "x", "")]),
        (b"unknown: x\nDATA: y\n data: z\ndata: a:b: c\n\n", [("message", "a:b: c", "")]),
        (b"\xef\xbb\xbfdata: bom\n\n", [("message", "bom", "")]),
        (b"data: cut off", []),
        (b"data: cut off\n", []),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
        ("data: a\u2028b\x85c\x0bd\n\n".encode(), [("message", "a\u2028b\x85c\x0bd", "")]),
    ],
)
def test_streams_are_read_by_the_standards_rules(
    stream: bytes, events: list[tuple[str, str, str]]
) -> None:
    assert parse(stream) == events


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_and_pieces_make_no_difference(end: bytes) -> None:
    stream = end.join(
        ["event: ä😀".encode(), b"data: 1", "data: ż".encode(), b"", b"data: 2", b"", b""]
    )
    whole = [("ä😀", "1\nż", ""), ("message", "2", "")]
    assert parse(stream) == whole
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == whole


def test_the_reconnection_time_is_digits_only() -> None:
    parser = EventParser()
    parser.feed(b"retry: 250\n\nretry: soon\n\nretry: 1.5\n\nretry:\n\n")
    assert parser.retry_ms == 250


def streaming(
    *pieces: str, seen: list[dict[str, str]] | None = None, wait: bool = False
) -> Handler:
    """Sends the pieces, then ends; with ``wait`` it stays open instead."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append({name.lower(): value for name, value in request.headers.items()})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece.encode())
        with suppress(asyncio.CancelledError, ConnectionError):
            while wait:
                await asyncio.sleep(0.01)
                await response.write(b":\n")
        return response

    return answer


async def test_events_arrive_until_the_stream_ends() -> None:
    seen: list[dict[str, str]] = []
    handler = streaming("data: żółć 😀\n\n", "event: add\nid: 5\ndata: 1\ndata: 2\n\n", seen=seen)
    async with serving(events=handler) as address:
        body = f"""const stream = sse.connect('http://{address}/events', {{ headers: {{ 'X-A': 'b' }} }});
          const before = [stream.isConnected(), stream.status, stream.url === 'http://{address}/events'];
          const events = []; for (let event; (event = stream.recv()) !== null;) events.push(event);
          return [before, events, stream.isConnected(), stream.recv()];"""
        assert await evaluate(body) == [
            [True, 200, True],
            [
                {"event": "message", "data": "żółć 😀", "id": ""},
                {"event": "add", "data": "1\n2", "id": "5"},
            ],
            False,
            None,
        ]
    (headers,) = seen
    assert (headers["accept"], headers["x-a"]) == ("text/event-stream", "b")
    assert headers["user-agent"].startswith("fusillade/")


async def test_recv_waits_only_as_long_as_it_is_told_and_close_ends_the_stream() -> None:
    async with serving(events=streaming("data: a\n\n", wait=True)) as address:
        body = f"""const stream = sse.connect('http://{address}/events');
          const seen = [stream.recv().data, stream.recv(20), stream.isConnected()];
          stream.close();
          return [...seen, stream.isConnected(), stream.recv()];"""
        assert await evaluate(body) == ["a", None, True, False, None]


async def test_what_is_no_event_stream_is_not_connected() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="data: a\n\n")

    async with serving(page=page) as address:
        body = f"""const show = (s) => [s.isConnected(), s.error, s.errorCode, s.status, s.recv()];
          return ['http://{address}/page', 'http://{address}/nothing', 'http://127.0.0.1:1/']
            .map((url) => show(sse.connect(url)));"""
        assert await evaluate(body) == [
            [False, "HANDSHAKE", "EPROTO", 200, None],
            [False, "HANDSHAKE", "EPROTO", 404, None],
            [False, "CONNECT", "ECONNREFUSED", 0, None],
        ]


async def test_a_stream_is_taken_up_again_behind_the_last_event() -> None:
    seen: list[dict[str, str]] = []
    handler = streaming("retry: 1\nid: 41\ndata: a\n\n", seen=seen)
    async with serving(events=handler) as address:
        body = f"""const stream = sse.connect('http://{address}/events', {{ reconnect: true, retryDelay: '1h' }});
          return [stream.recv().data, stream.recv().data];"""
        assert await evaluate(body) == ["a", "a"]
    assert [headers.get("last-event-id") for headers in seen[:2]] == [None, "41"]


async def test_redirects_are_followed_as_far_as_the_options_say() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/events"})

    async with serving(here=elsewhere, events=streaming("data: a\n\n")) as address:
        script = f"""export const options = {{ maxRedirects: MOST }};
          export default function () {{
            const stream = sse.connect('http://{address}/here');
            console.log(stream.status, stream.isConnected()); }}"""
        logs = [
            (await run(script.replace("MOST", most), workers=1, iterations=1)).log
            for most in ("1", "0")
        ]
    assert logs == [["info: 200 true"], ["info: 307 false"]]


async def test_streams_are_measured() -> None:
    async with serving(events=streaming("data: a\n\n", "data: b\n\n")) as address:
        script = f"""export const options = {{ thresholds: {{
            'sse_msgs_received{{feed:x}}': ['count == 6'], sse_connecting: ['count == 3'] }} }};
          export default function () {{
          const stream = sse.connect('http://{address}/events', {{ tags: {{ feed: 'x' }} }});
          while (stream.recv() !== null); }}"""
        done = await run(script, workers=3, iterations=1)
    metrics: dict[str, Any] = done.summary.metrics
    assert [result.ok for result in done.summary.thresholds] == [True, True]
    assert metrics["sse_session_duration"].count == 3
    assert metrics["sse_connect_failed"] == 0
    assert done.summary.data_received_bytes == 3 * len("data: a\n\ndata: b\n\n")


async def test_what_an_iteration_leaves_open_is_closed_at_its_end() -> None:
    gone = asyncio.Semaphore(0)
    handler = streaming("data: a\n\n", wait=True)

    async def watched(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        gone.release()
        return response

    async with serving(events=watched) as address:
        script = f"export default function () {{ sse.connect('http://{address}/events').recv(); }}"
        await run(script, workers=2, iterations=2)
        async with asyncio.timeout(20):
            for _ in range(4):
                await gone.acquire()


async def test_certificates_are_verified_unless_the_options_say_insecure() -> None:
    async with serving(server_context(), events=streaming("data: a\n\n")) as address:
        script = f"""export const options = {{ insecure: INSECURE, workers: 1, iterations: 1 }};
          export default function () {{
            const stream = sse.connect('https://{address}/events');
            console.log(stream.errorCode, stream.recv()?.data); }}"""
        logs = [(await run(script.replace("INSECURE", word))).log for word in ("false", "true")]
    assert logs == [["info: ECERT undefined"], ["info: null a"]]
