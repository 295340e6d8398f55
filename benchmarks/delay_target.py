"""An HTTP target that answers each request after a known delay, and records what it really took.

``python benchmarks/delay_target.py DELAY_MS`` prints its port, serves until its standard input is
closed, and then prints, as JSON, the moments at which requests came (``arrivals``, seconds on the
monotonic clock) and the delays it kept (``delays``, milliseconds). It spins on one core, so that
its delays do not depend on a timer's resolution; requests are GETs without a body.
"""

import contextlib
import heapq
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
now = time.perf_counter


@dataclass
class Recorded:
    """What the target saw."""

    arrivals: list[float]
    delays: list[float]

    def quantile(self, q: float) -> float:
        """Of the delays, in milliseconds."""
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class DelayTarget:
    """The running target; ``recorded`` is there when it has ended."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.recorded = Recorded([], [])


@contextlib.contextmanager
def delay_target(delay_ms: float) -> Iterator[DelayTarget]:
    """A target in a process of its own on TARGET_CORE."""
    from peers import TARGET_CORE

    process = subprocess.Popen(
        ["taskset", "-c", str(TARGET_CORE), sys.executable, str(Path(__file__)), str(delay_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    target = DelayTarget(int(process.stdout.readline()))
    try:
        yield target
    finally:
        output, _ = process.communicate()
        if process.returncode == 0:
            target.recorded = Recorded(**json.loads(output))


def _serve(delay: float) -> dict[str, Any]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    epoll = select.epoll()
    epoll.register(listener.fileno(), select.EPOLLIN)
    epoll.register(sys.stdin.fileno(), select.EPOLLIN)
    open_sockets: dict[int, socket.socket] = {}
    due: list[tuple[float, float, int]] = []
    arrivals: list[float] = []
    delays: list[float] = []
    while True:
        for descriptor, _ in epoll.poll(0, 256):
            if descriptor == sys.stdin.fileno():
                return {"arrivals": arrivals, "delays": delays}
            if descriptor == listener.fileno():
                with contextlib.suppress(BlockingIOError):
                    accepted, _ = listener.accept()
                    accepted.setblocking(False)
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    open_sockets[accepted.fileno()] = accepted
                    epoll.register(accepted.fileno(), select.EPOLLIN)
                continue
            came = now()
            try:
                data = open_sockets[descriptor].recv(4096)
            except ConnectionError:
                data = b""
            if data:
                arrivals.append(came)
                heapq.heappush(due, (came + delay, came, descriptor))
            else:
                open_sockets.pop(descriptor).close()
        while due and due[0][0] <= now():
            _, came, descriptor = heapq.heappop(due)
            answered = open_sockets.get(descriptor)
            if answered is not None:
                with contextlib.suppress(ConnectionError):
                    answered.send(_ANSWER)
                delays.append((now() - came) * 1000)


if __name__ == "__main__":
    print(json.dumps(_serve(float(sys.argv[1]) / 1000)))
