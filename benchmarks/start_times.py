"""How long a test takes from its creation to ``ready``, and from ``start`` to its first request.

Starts a platform of its own on a temporary directory. Each round creates a test, waits until it is
ready, starts it, and waits for the first byte of its first request at a socket of this program; the
first round warms the platform up and does not count. Prints the rounds' median and slowest.

    python benchmarks/start_times.py [--rounds 5] [--spares 3]
"""

import argparse
import contextlib
import socket
import statistics
import time

from own_platform import Api, own_platform

_SCRIPT = "export default function () {{ http.get('http://127.0.0.1:{port}/'); }}"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_LONGEST_SECONDS = 60
_REST_SECONDS = 9
"""Between rounds: an ended test leaves after 5 s, and processes are started ahead for the next."""


def _round(api: Api, listener: socket.socket) -> tuple[float, float, float]:
    """Seconds of the call that creates, from it to ``ready``, and from ``start`` to a request."""
    script = _SCRIPT.format(port=listener.getsockname()[1])
    began = time.perf_counter()
    test = api.create(name="Start", script=script, workers=1, duration=1)
    created = time.perf_counter() - began
    path = f"/tests/{test['test_id']}"
    while (status := api.call(path)["status"]) == "provisioning":
        time.sleep(0.01)
    ready = time.perf_counter() - began
    if status != "ready":
        raise SystemExit(f"the test is {status}")
    began = time.perf_counter()
    api.call(f"{path}/start", b"")
    _answer_one(listener)
    started = time.perf_counter() - began
    listener.settimeout(2)
    with contextlib.suppress(TimeoutError):
        while True:
            _answer_one(listener)
    listener.settimeout(_LONGEST_SECONDS)
    return created, ready, started


def _answer_one(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(_ANSWER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spares", type=int, default=3, help="FUSILLADE_SPARE_PROCESSES")
    arguments = parser.parse_args()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(_LONGEST_SECONDS)
        taken = []
        with own_platform(FUSILLADE_SPARE_PROCESSES=str(arguments.spares)) as api:
            _round(api, listener)
            for _ in range(arguments.rounds):
                time.sleep(_REST_SECONDS)
                taken.append(_round(api, listener))
    print("| seconds | median | slowest |\n| --- | ---: | ---: |")
    for name, of in zip(
        ("`POST /tests`", "`POST /tests` to `ready`", "`start` to the first request"),
        zip(*taken, strict=True),
        strict=True,
    ):
        print(f"| {name} | {statistics.median(of):.2f} | {max(of):.2f} |")


if __name__ == "__main__":
    main()
