"""How long a test takes from its creation to ``ready``, and from ``start`` to its first request.

Starts a platform of its own on a temporary directory. Each round creates a test, waits until it is
ready, starts it, and waits for the first byte of its first request at a socket of this program; the
first round warms the platform up and does not count. Prints the rounds' median and slowest.

    python benchmarks/start_times.py [--rounds 5]
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from peers import free_port

_FUSILLADE = Path(sys.executable).with_name("fusillade")
_FORM = '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
_SCRIPT = "export default function () {{ http.get('http://127.0.0.1:{port}/'); }}"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_LONGEST_SECONDS = 60
_REST_SECONDS = 9
"""Between rounds: an ended test leaves after 5 s, and processes are started ahead for the next."""


class _Api:
    def __init__(self, base: str) -> None:
        self._base = base
        self._token = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def log_in(self, admin: dict[str, str]) -> None:
        login = {"email": admin["email"], "password": admin["password"]}
        body = json.dumps(login).encode()
        self._token = self.call("/auth/login", body, "application/json")["token"]

    def call(self, path: str, body: bytes | None = None, kind: str = "text/plain") -> Any:
        headers = {"Content-Type": kind}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(f"{self._base}/api/v1{path}", body, headers)
        with self._opener.open(request, timeout=_LONGEST_SECONDS) as answer:
            return json.loads(answer.read())


def _round(api: _Api, listener: socket.socket) -> tuple[float, float, float]:
    """Seconds of the call that creates, from it to ``ready``, and from ``start`` to a request."""
    script = _SCRIPT.format(port=listener.getsockname()[1])
    fields = {"name": "Start", "script": script, "workers": 1, "duration": 1}
    form = "".join(_FORM.format(name=name, value=value) for name, value in fields.items())
    began = time.perf_counter()
    test = api.call("/tests", f"{form}--b--\r\n".encode(), "multipart/form-data; boundary=b")
    created = time.perf_counter() - began
    path = f"/tests/{test['test_id']}"
    while (status := api.call(path)["status"]) == "provisioning":
        time.sleep(0.01)
    ready = time.perf_counter() - began
    if status != "ready":
        raise SystemExit(f"the test is {status}")
    began = time.perf_counter()
    api.call(f"{path}/start", b"")
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        started = time.perf_counter() - began
        connection.sendall(_ANSWER)
    listener.settimeout(2)
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(_ANSWER)
    except TimeoutError:
        listener.settimeout(_LONGEST_SECONDS)
    return created, ready, started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as root,
        socket.socket() as listener,
    ):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(_LONGEST_SECONDS)
        data_dir, port = f"--data-dir={root}/data", free_port()
        environment = os.environ | {
            "FUSILLADE_RATE_LIMIT_REQUESTS": "0",
            "FUSILLADE_RATE_LIMIT_AUTH_REQUESTS": "0",
        }
        try:
            subprocess.run(
                [str(_FUSILLADE), "up", "--detach", data_dir, f"--port={port}"],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )
            api = _Api(f"http://127.0.0.1:{port}")
            api.log_in(json.loads(Path(root, "data", "admin.json").read_text()))
            _round(api, listener)
            taken = []
            for _ in range(rounds):
                time.sleep(_REST_SECONDS)
                taken.append(_round(api, listener))
        finally:
            subprocess.run([str(_FUSILLADE), "down", data_dir], stdout=subprocess.DEVNULL)
    print("| seconds | median | slowest |\n| --- | ---: | ---: |")
    for name, of in zip(
        ("`POST /tests`", "`POST /tests` to `ready`", "`start` to the first request"),
        zip(*taken, strict=True),
        strict=True,
    ):
        print(f"| {name} | {statistics.median(of):.2f} | {max(of):.2f} |")


if __name__ == "__main__":
    main()
