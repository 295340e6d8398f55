"""The client's side of HTTP/2, against another implementation of the server's."""

from collections.abc import Iterable
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from fusillade.engine.drivers import frames
from fusillade.engine.drivers.frames import NotHttp2
from fusillade.engine.drivers.http2 import Session, Stream

_GET = frames.block(
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"test"),
        (b":path", b"/"),
        (b"x-long", b"x" * 300),
    ]
)
_OK = [(":status", "200"), ("content-type", "text/plain")]


class Peer:
    """A server that keeps what it is told; ``exchange`` moves bytes until both are silent."""

    def __init__(self, settings: dict[Any, int] | None = None) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.server = h2.connection.H2Connection(config)
        self.server.local_settings = h2.settings.Settings(client=False, initial_values=settings)
        self.server.initiate_connection()
        self.session = Session()
        self.bodies: dict[int, bytes] = {}
        self.headers: dict[int, dict[str, str]] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.pings: list[bytes] = []
        self.grants = True
        """Whether it makes room for more of a body as it comes."""

    def exchange(self) -> None:
        while self.session.out or self.server._data_to_send:
            sent = bytes(self.session.out)
            self.session.out.clear()
            for event in self.server.receive_data(sent):
                self._note(event)
            self.session.feed(self.server.data_to_send(), 1.0)

    def _note(self, event: Any) -> None:
        match event:
            case h2.events.RequestReceived():
                self.headers[event.stream_id] = dict(event.headers)
            case h2.events.DataReceived():
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                if self.grants:
                    self.server.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            case h2.events.StreamEnded():
                self.ended.add(event.stream_id)
            case h2.events.StreamReset():
                self.resets[event.stream_id] = int(event.error_code)
            case h2.events.PingAckReceived():
                self.pings.append(event.ping_data)

    def request(self, body: bytes = b"", *, is_head: bool = False) -> Stream:
        block = _GET + (frames.content_length(len(body)) if body else b"")
        stream = Stream(0, 0, block, body, is_head, 1e9, 0.0)
        self.session.begin(stream)
        self.exchange()
        return stream

    def answer(self, stream: Stream, headers: Iterable[tuple[str, str]], *bodies: bytes) -> None:
        self.server.send_headers(stream.number, headers, end_stream=not bodies)
        for i, body in enumerate(bodies):
            self.server.send_data(stream.number, body, end_stream=i == len(bodies) - 1)
        self.exchange()

    def finished(self) -> list[tuple[Stream, str]]:
        found = list(self.session.finished)
        self.session.finished.clear()
        return found


def _body(stream: Stream) -> bytes:
    return b"".join(stream.parts)


def test_a_request_arrives_and_its_answer_comes_back() -> None:
    peer = Peer()
    stream = peer.request()
    assert peer.headers[1][":path"] == "/"
    assert peer.headers[1]["x-long"] == "x" * 300
    assert peer.ended == {1}
    peer.answer(stream, _OK, b"hello ", b"world")
    assert peer.finished() == [(stream, "")]
    assert stream.head is not None
    assert stream.head.status == 200
    assert stream.head.text == b"HTTP/2 200 \r\ncontent-type: text/plain\r\n\r\n"
    assert _body(stream) == b"hello world"


def test_answers_come_in_any_order_to_those_who_asked() -> None:
    peer = Peer()
    streams = [peer.request() for _ in range(20)]
    for stream in reversed(streams):
        peer.answer(stream, _OK, b"%d" % stream.number)
    assert [stream for stream, _ in peer.finished()] == streams[::-1]
    assert [_body(stream) for stream in streams] == [b"%d" % (2 * i + 1) for i in range(20)]


def test_bytes_may_come_one_by_one() -> None:
    peer = Peer()
    stream = peer.request()
    peer.server.send_headers(stream.number, _OK)
    peer.server.send_data(stream.number, b"slowly", end_stream=True)
    for byte in peer.server.data_to_send():
        peer.session.feed(bytes([byte]), 2.0)
    assert _body(stream) == b"slowly"
    assert stream.first_byte == 2.0


def test_a_body_waits_for_the_room_that_the_server_has() -> None:
    peer = Peer({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    peer.exchange()
    peer.grants = False
    body = bytes(range(256)) * 20
    stream = peer.request(body)
    assert peer.bodies[1] == body[:1000]
    for size in (500, 10_000):
        peer.server.increment_flow_control_window(size, stream.number)
        peer.exchange()
    assert peer.bodies[1] == body
    assert peer.ended == {1}
    assert stream.bytes_sent > len(body)


def test_large_bodies_in_both_directions() -> None:
    peer = Peer()
    content = bytes(range(256)) * (20 << 12)  # 20 MiB, more than one window
    stream = peer.request(content[: 1 << 20])
    assert peer.bodies[1] == content[: 1 << 20]
    peer.server.send_headers(stream.number, _OK)
    sent = 0
    while sent < len(content):
        room = peer.server.local_flow_control_window(stream.number)
        size = min(room, peer.server.max_outbound_frame_size, len(content) - sent)
        assert size > 0, "no more room for the body"
        piece = content[sent : sent + size]
        sent += size
        peer.server.send_data(stream.number, piece, end_stream=sent == len(content))
        peer.exchange()
    assert _body(stream) == content


def test_interim_answers_and_trailers_are_not_the_answer() -> None:
    peer = Peer()
    stream = peer.request()
    peer.server.send_headers(stream.number, [(":status", "103"), ("link", "</a>")])
    peer.server.send_headers(stream.number, _OK)
    peer.server.send_data(stream.number, b"ok")
    peer.server.send_headers(stream.number, [("x-checksum", "1")], end_stream=True)
    peer.exchange()
    assert peer.finished() == [(stream, "")]
    assert stream.head is not None
    assert stream.head.status == 200
    assert b"checksum" not in stream.head.text


def test_padding_is_no_part_of_the_body() -> None:
    peer = Peer()
    stream = peer.request()
    peer.server.send_headers(stream.number, _OK)
    peer.server.send_data(stream.number, b"ok", end_stream=True, pad_length=100)
    peer.exchange()
    assert _body(stream) == b"ok"


def test_long_headers_come_in_several_frames() -> None:
    peer = Peer()
    stream = peer.request()
    peer.answer(stream, [*_OK, ("x-long", "y" * 60_000)])
    assert stream.head is not None
    assert b"y" * 60_000 in stream.head.text


def test_a_body_of_another_length_than_announced_is_malformed() -> None:
    peer = Peer()
    stream = peer.request()
    peer.answer(stream, [*_OK, ("content-length", "10")], b"short")
    assert peer.finished() == [(stream, "malformed")]
    head = peer.request(is_head=True)
    peer.answer(head, [*_OK, ("content-length", "10")])
    assert peer.finished() == [(head, "")]


@pytest.mark.parametrize(("code", "how"), [(7, "refused"), (2, "reset"), (8, "reset")])
def test_a_stream_that_the_server_resets_ends_alone(code: int, how: str) -> None:
    peer = Peer()
    lost, other = peer.request(), peer.request()
    peer.server.reset_stream(lost.number, code)
    peer.answer(other, _OK, b"ok")
    assert peer.finished() == [(lost, how), (other, "")]
    assert peer.session.has_room


def test_after_goaway_only_what_the_server_has_seen_is_answered() -> None:
    peer = Peer()
    seen, unseen = peer.request(), peer.request()
    peer.session.feed(frames.frame(frames.GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0"), 1.0)
    assert peer.finished() == [(unseen, "refused")]
    assert not peer.session.has_room
    peer.answer(seen, _OK, b"ok")
    assert peer.finished() == [(seen, "")]


def test_no_more_streams_begin_than_the_server_allows() -> None:
    peer = Peer({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    peer.exchange()
    first = peer.request()
    assert peer.session.has_room
    peer.request()
    assert not peer.session.has_room
    peer.answer(first, _OK, b"ok")
    assert peer.session.has_room


def test_who_cancels_hears_no_more() -> None:
    peer = Peer()
    stream = peer.request()
    peer.session.cancel(stream)
    peer.exchange()
    assert peer.resets == {1: frames.CANCEL}
    late = frames.frame(frames.DATA, frames.END_STREAM, 1, b"late")
    peer.session.feed(late, 1.0)
    assert peer.finished() == []


def test_pings_are_answered() -> None:
    peer = Peer()
    peer.exchange()
    peer.server.ping(b"12345678")
    peer.exchange()
    assert peer.pings == [b"12345678"]


@pytest.mark.parametrize(
    "nonsense",
    [
        frames.frame(frames.PUSH_PROMISE, frames.END_HEADERS, 1, b"\0\0\0\2\x88"),
        frames.frame(frames.DATA, frames.PADDED, 1, b"\xff"),
        frames.frame(frames.DATA, frames.END_STREAM, 1, b"a body before its header"),
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, b"\x00\x01a\x01b"),
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.PADDED, 1, b""),
        frames.frame(frames.HEADERS, 0, 1, b"") + frames.frame(frames.PING, 0, 0, b"12345678"),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, b"\x88"),
        frames.frame(frames.SETTINGS, 0, 0, b"\0\1\0"),
        frames.frame(frames.SETTINGS, 0, 0, b"\0\5\0\0\0\1"),
        frames.frame(frames.SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"),
        frames.frame(frames.WINDOW_UPDATE, 0, 0, b"\0"),
        frames.frame(frames.RST_STREAM, 0, 1, b""),
        frames.frame(frames.GOAWAY, 0, 0, b"\0"),
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_connection(nonsense: bytes) -> None:
    peer = Peer()
    peer.request()
    with pytest.raises(NotHttp2):
        peer.session.feed(nonsense, 1.0)
