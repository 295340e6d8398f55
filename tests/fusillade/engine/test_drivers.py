"""Both HTTP drivers see the same, whatever a server does."""

import asyncio
import gzip
import shutil
import sysconfig
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from driver_bench import DRIVERS, Bench, make_bench
from secure_target import server_context

from fusillade.engine.drivers.native import native


@pytest.fixture(params=DRIVERS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    started = make_bench(request.param)
    yield started
    started.driver.close()


@pytest.mark.skipif(
    shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="there is no C compiler with Python's headers",
)
def test_the_native_module_is_built_where_it_can_be() -> None:
    assert native is not None, "install the project again: pip install -e ."


@dataclass
class Server:
    """Answers each request on a connection with the next of its answers."""

    answers: list[list[bytes]]
    url: str = ""
    connections: int = 0
    received: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                self.received.append(head + await reader.readexactly(length))
                for piece in self.answers.pop(0):
                    if piece == b"RESET":
                        writer.transport.abort()
                        return
                    if piece == b"CLOSE":
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.02)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


Start = Callable[..., Any]


@pytest.fixture
async def serve() -> AsyncIterator[Start]:
    running = []

    async def start(*answers: list[bytes], scheme: str = "http") -> Server:
        server = Server(list(answers))
        context = server_context() if scheme == "https" else None
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
        running.append(listening)
        server.url = f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        return server

    yield start
    for listening in running:
        listening.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

ANSWERS: dict[str, tuple[list[bytes], tuple[int, str, bytes]]] = {
    "a plain answer": ([OK], (200, "", b"ok")),
    "in single bytes": ([bytes([byte]) for byte in OK], (200, "", b"ok")),
    "split in the middle of the head": ([OK[:20], OK[20:]], (200, "", b"ok")),
    "split before the body": ([OK[:-2], OK[-2:]], (200, "", b"ok")),
    "no body": ([b"HTTP/1.1 204 No Content\r\n\r\n"], (204, "", b"")),
    "an empty body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], (200, "", b"")),
    "no reason": ([b"HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx"], (404, "", b"x")),
    "chunks": (
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            b"2\r\nde\r\n0\r\n\r\n",
        ],
        (200, "", b"abcde"),
    ),
    "chunks with trailers": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nX-T: 1\r\n\r\n"],
        (200, "", b"a"),
    ),
    "many chunks": (
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
            b"".join(b"%X;a\r\n%b\r\n" % (size, b"x" * size) for size in range(1, 300)),
            b"000;last\r\n\r\n",
        ],
        (200, "", b"x" * (299 * 150)),
    ),
    "no chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        (200, "", b""),
    ),
    "chunks of no size": (
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nabcde\r\n0\r\n\r\n",
            b"CLOSE",
        ],
        (0, "ENETWORK", b""),
    ),
    "chunks of another size": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcde\r\n0\r\n\r\n", b"CLOSE"],
        (0, "ENETWORK", b""),
    ),
    "closed between two chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"CLOSE"],
        (0, "ECONNRESET", b""),
    ),
    "interim answers first": (
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK],
        (200, "", b"ok"),
    ),
    "a body that ends with the connection": (
        [b"HTTP/1.1 200 OK\r\n\r\nall of", b" it", b"CLOSE"],
        (200, "", b"all of it"),
    ),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n\r\nold", b"CLOSE"], (200, "", b"old")),
    "Connection: close": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye", b"CLOSE"],
        (200, "", b"bye"),
    ),
    "closed without an answer": ([b"CLOSE"], (0, "ECONNRESET", b"")),
    "reset without an answer": ([b"RESET"], (0, "ECONNRESET", b"")),
    "closed in the middle of the head": ([OK[:25], b"CLOSE"], (0, "ECONNRESET", b"")),
    "closed in the middle of the body": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", b"CLOSE"],
        (0, "ECONNRESET", b""),
    ),
    "reset in the middle of the body": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", b"RESET"],
        (0, "ECONNRESET", b""),
    ),
    "what is not HTTP": ([b"SSH-2.0-OpenSSH_9.9\r\n\r\n", b"CLOSE"], (0, "ENETWORK", b"")),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_understood_or_an_error(
    bench: Bench, serve: Start, name: str, scheme: str
) -> None:
    answer, (status, error, body) = ANSWERS[name]
    server = await serve(answer, scheme=scheme)
    seen = await bench.send(server.url)
    assert (seen.status, seen.error) == (status, error)
    if not error:
        assert seen.body == body
        sent = b"".join(piece for piece in answer if piece != b"CLOSE")
        assert seen.row["bytes_received"] == len(sent)


@pytest.mark.parametrize("name", [name for name, (_, seen) in ANSWERS.items() if not seen[1]])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_next_request_gets_its_own_answer(
    bench: Bench, serve: Start, name: str, scheme: str
) -> None:
    answer, _ = ANSWERS[name]
    server = await serve(answer, [OK.replace(b"ok", b"2.")], scheme=scheme)
    await bench.send(server.url)
    await asyncio.sleep(0.05)
    seen = await bench.send(server.url)
    assert (seen.status, seen.body) == (200, b"2.")


async def test_bytes_after_the_end_belong_to_no_answer(bench: Bench, serve: Start) -> None:
    server = await serve([OK + b"HTTP/1.1 500 Injected\r\nContent-Length: 0\r\n\r\n"], [OK])
    assert (await bench.send(server.url)).status == 200
    await asyncio.sleep(0.05)
    assert (await bench.send(server.url)).status == 200
    assert server.connections == 2


async def test_connections_are_used_again(bench: Bench, serve: Start) -> None:
    server = await serve([OK], [OK], [OK])
    reused = [(await bench.send(server.url)).row["reused"] for _ in range(3)]
    assert reused == [0, 1, 1]
    assert server.connections == 1


@pytest.fixture(params=DRIVERS)
async def wasteful(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A driver that uses no connection twice."""
    started = make_bench(request.param, reuse=False)
    yield started
    started.driver.close()


async def test_each_request_has_a_connection_of_its_own_if_that_is_asked_for(
    wasteful: Bench, serve: Start
) -> None:
    server = await serve([OK], [OK], [OK])
    headers = (("connection", "keep-alive"),)
    reused = [(await wasteful.send(server.url, headers=headers)).row["reused"] for _ in range(3)]
    assert reused == [0, 0, 0]
    assert server.connections == 3
    for head in server.received:
        fields = [line.lower() for line in head.split(b"\r\n")]
        assert [line for line in fields if b"connection" in line] == [b"connection: close"]


async def test_idle_connections_are_closed_when_that_is_asked_for(
    bench: Bench, serve: Start
) -> None:
    server = await serve([OK], [OK], [OK])
    reused = []
    for _ in range(2):
        reused.append((await bench.send(server.url)).row["reused"])
    bench.driver.drop_idle()
    reused.append((await bench.send(server.url)).row["reused"])
    assert reused == [0, 1, 0]


async def test_a_connection_that_died_while_idle_costs_no_error(bench: Bench, serve: Start) -> None:
    server = await serve([OK, b"CLOSE"], [OK])
    await bench.send(server.url)
    await asyncio.sleep(0.1)
    assert (await bench.send(server.url)).status == 200
    assert server.connections == 2


async def test_a_reset_on_reuse_is_tried_once_more(bench: Bench, serve: Start) -> None:
    server = await serve([OK], [b"RESET"], [OK])
    await bench.send(server.url)
    seen = await bench.send(server.url)
    assert (seen.status, seen.error, server.connections) == (200, "", 2)


@pytest.mark.parametrize(
    ("method", "body"),
    [("POST", b"abc"), ("PUT", b""), ("PATCH", None), ("DELETE", None), ("GET", b"x")],
)
async def test_requests_look_alike(
    bench: Bench, serve: Start, method: str, body: bytes | None
) -> None:
    server = await serve([OK])
    seen = await bench.send(
        server.url + "a%20b?c=d&e=%2F#f", method=method, body=body, headers=(("X-Y", "z"),)
    )
    (received,) = server.received
    lines = received.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = {line.split(b":")[0].lower() for line in lines[1:]}
    assert lines[0] == f"{method} /a%20b?c=d&e=%2F HTTP/1.1".encode()
    assert received.endswith(body or b"\r\n")
    expected = {b"host", b"user-agent", b"accept", b"x-y"}
    if body is not None or method in ("PUT", "PATCH"):
        expected.add(b"content-length")
    assert names == expected
    assert seen.row["bytes_sent"] == len(received)
    assert seen.row["bytes_received"] == len(OK)


def encoded(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


async def test_an_encoded_body_is_decoded_and_measured_as_it_was_sent(
    bench: Bench, serve: Start
) -> None:
    answer = encoded(gzip.compress(b"a" * 1000))
    server = await serve([answer], [answer])
    for _ in range(2):
        seen = await bench.send(server.url)
        assert (seen.status, seen.body) == (200, b"a" * 1000)
        assert seen.row["bytes_received"] == len(answer)
    assert server.connections == 1


async def test_a_body_that_is_not_what_its_header_says_is_an_error(
    bench: Bench, serve: Start
) -> None:
    server = await serve([encoded(b"not gzip")], [OK])
    seen = await bench.send(server.url)
    assert (seen.status, seen.error) == (0, "ENETWORK")
    server.answers[:] = [[OK]]
    assert (await bench.send(server.url)).status == 200


async def test_a_head_request_has_no_body(bench: Bench, serve: Start) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    server = await serve([head], [OK], [head])
    for method, body in (("HEAD", b""), ("GET", b"ok"), ("HEAD", b"")):
        seen = await bench.send(server.url, method=method)
        assert (seen.status, seen.body) == (200, body)


async def test_slow_heads_run_into_the_timeout(bench: Bench, serve: Start) -> None:
    server = await serve([bytes([byte]) for byte in OK])
    seen = await bench.send(server.url, timeout_ms=100)
    assert (seen.status, seen.error) == (0, "ETIMEDOUT")
    phases = ("blocked", "connecting", "tls_handshaking", "duration")
    assert 90 <= sum(seen.row[phase] for phase in phases) <= 1000
    server.answers[:] = [[OK]]
    assert (await bench.send(server.url)).status == 200


async def test_phases_add_up(bench: Bench, serve: Start) -> None:
    server = await serve([b"", b"", OK[:-1], OK[-1:]])
    row = (await bench.send(server.url)).row
    assert row["duration"] == pytest.approx(
        row["sending"] + row["waiting"] + row["receiving"], abs=0.01
    )
    assert row["waiting"] >= 30
    assert row["receiving"] >= 15
    assert row["connecting"] > 0


@pytest.mark.parametrize("size", [100_000, 1_000_000, 5_000_000])
async def test_large_bodies_in_both_directions(bench: Bench, serve: Start, size: int) -> None:
    content = bytes(range(256)) * (size // 256)
    server = await serve([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content), content])
    seen = await bench.send(server.url, method="POST", body=content)
    assert seen.body == content
    assert server.received[0].endswith(content)
    assert seen.row["bytes_sent"] == len(server.received[0])


async def test_nobody_listens(bench: Bench) -> None:
    seen = await bench.send("http://127.0.0.1:1/")
    assert (seen.status, seen.error) == (0, "ECONNREFUSED")
    assert seen.row["bytes_sent"] == 0


async def test_a_host_without_an_address(bench: Bench) -> None:
    seen = await bench.send("http://no-such-host.invalid/")
    assert (seen.status, seen.error) == (0, "ENOTFOUND")


async def refusing(status: bytes | None) -> tuple[asyncio.Server, str]:
    """A server that reads the head of a request and no more, then answers or resets."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if status is None:
            writer.transport.abort()
        else:
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: 4\r\n\r\nfull" % status)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 12)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


LARGE = bytes(20 << 20)


async def test_an_answer_may_come_before_the_whole_body_was_sent(bench: Bench) -> None:
    server, url = await refusing(b"413 Too Large")
    async with server:
        seen = await bench.send(url, method="POST", body=LARGE)
        again = await bench.send(url, method="POST", body=b"small")
    assert (seen.status, seen.body) == (413, b"full")
    assert (again.status, again.row["reused"]) == (413, 0)


async def test_a_reset_while_the_body_is_sent_is_an_error(bench: Bench) -> None:
    server, url = await refusing(None)
    async with server:
        seen = await bench.send(url, method="POST", body=LARGE)
    assert seen.status == 0
    assert seen.error in ("ECONNRESET", "EPIPE")
