"""The HTTP server under load in tests: fast, and it counts all that it receives and sends.

``python tests/target.py FD`` serves on an inherited listening socket until its standard input is
closed. Paths: ``/status/CODE``, ``/bytes/N``, ``/delay/MILLISECONDS``, ``/redirect/N`` (N more
redirects, then to ``?to=URL`` or ``/``), ``/echo`` (what was received, as JSON),
``/mirror?header=...`` (the body that was received, with a header of one's own),
``/cookie?set-cookie=...`` (sets a cookie), ``/close`` (closes without an answer), and
``/counted`` (the counts so far, not counted themselves).
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import httptools
import uvloop

counts: Counter[str] = Counter()


class _Connection(asyncio.Protocol):
    """One connection; answers each request as soon as it is whole."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.received = len(data)
        counts["bytes_received"] += len(data)
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.path = b""
        self.body = b""
        self.headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        method = self.parser.get_method().decode()
        path = self.path.partition(b"?")[0].decode()
        if path == "/counted":
            counts["bytes_received"] -= self.received
            self.transport.write(_answer(200, json.dumps(counts).encode()))
            return
        counts["requests"] += 1
        counts[f"{method} {path}"] += 1
        _, kind, *rest = path.split("/")
        status, body, headers = 200, b'{"status":"ok"}', ""
        match kind:
            case "status":
                status = int(rest[0])
            case "bytes":
                body = b"x" * int(rest[0])
            case "redirect":
                left = int(rest[0])
                query = parse_qs(self.path.decode().partition("?")[2])
                status = int(query.get("status", ["302"])[0])
                end = query.get("to", ["/"])[0]
                headers = f"Location: {f'/redirect/{left - 1}' if left else end}\r\n"
            case "echo":
                seen = {
                    "method": method,
                    "url": self.path.decode(),
                    "headers": self.headers,
                    "body": self.body.decode("utf-8", "surrogateescape"),
                }
                body = json.dumps(seen).encode()
            case "mirror":
                body = self.body
                query = parse_qs(self.path.decode().partition("?")[2])
                headers = "".join(f"{line}\r\n" for line in query.get("header", []))
            case "cookie":
                query = parse_qs(self.path.decode().partition("?")[2])
                status = int(query.get("status", ["200"])[0])
                headers = "".join(f"Set-Cookie: {value}\r\n" for value in query["set-cookie"])
                headers += "".join(f"Location: {url}\r\n" for url in query.get("to", []))
            case "close":
                self.transport.close()
                return
            case "delay":
                answer = self._count(status, body, headers, method)
                loop = asyncio.get_running_loop()
                loop.call_later(float(rest[0]) / 1000, self.transport.write, answer)
                return
        self.transport.write(self._count(status, body, headers, method))

    def _count(self, status: int, body: bytes, headers: str, method: str) -> bytes:
        answer = _answer(status, body, headers, without_body=method == "HEAD")
        counts[f"status {status}"] += 1
        counts["bytes_sent"] += len(answer)
        return answer


def _answer(status: int, body: bytes, headers: str = "", without_body: bool = False) -> bytes:
    head = (
        f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + (b"" if without_body else body)


@dataclass(frozen=True)
class Target:
    """A running target."""

    url: str

    def counted(self) -> Counter[str]:
        """All counts so far."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/counted", timeout=10) as answer:
            return Counter(json.loads(answer.read()))


@contextlib.contextmanager
def running_target() -> Iterator[Target]:
    """A target in a process of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        process = subprocess.Popen(
            [sys.executable, __file__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
        )
        port = listener.getsockname()[1]
    try:
        yield Target(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


async def _serve(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, sock=listener)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve(socket.socket(fileno=int(sys.argv[1]))))
