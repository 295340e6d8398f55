"""Requests/s and latency of ``GET /api/v1/tests/:id`` through Ray Serve, asked by wrk.

Starts a platform of its own on a temporary directory, rate limits off; wrk shares its cores.

    python benchmarks/api_rate.py [--connections 32] [--seconds 10]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from peers import free_port, program

_FUSILLADE = Path(sys.executable).with_name("fusillade")
_FORM = '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


def _call(url: str, token: str, body: bytes, content_type: str) -> Any:
    headers = {"Content-Type": content_type} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers), timeout=60) as answer:
        return json.loads(answer.read())


def _measure(base: str, admin: dict[str, str], connections: int, seconds: int) -> str:
    login = {"email": admin["email"], "password": admin["password"]}
    token = _call(f"{base}/api/v1/auth/login", "", json.dumps(login).encode(), "application/json")[
        "token"
    ]
    fields = {"name": "Idle", "script": "export default () => {}", "workers": 1, "duration": 1}
    form = "".join(_FORM.format(name=name, value=value) for name, value in fields.items())
    test = _call(
        f"{base}/api/v1/tests?wait=true",
        token,
        f"{form}--b--\r\n".encode(),
        "multipart/form-data; boundary=b",
    )
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-H", f"Authorization: Bearer {token}", f"{base}/api/v1/tests/{test['test_id']}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as root:
        data_dir = f"--data-dir={root}/data"
        port = free_port()
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
            admin = json.loads(Path(root, "data", "admin.json").read_text())
            text = _measure(
                f"http://127.0.0.1:{port}", admin, arguments.connections, arguments.seconds
            )
        finally:
            subprocess.run([str(_FUSILLADE), "down", data_dir], stdout=subprocess.DEVNULL)
    found = re.search(r"Requests/sec: +([\d.]+)", text)
    latencies = dict(re.findall(r"^ +(50|99)% +(\S+)", text, re.MULTILINE))
    assert found is not None, text
    print(f"{arguments.connections} connections: {found[1]} requests/s,", end=" ")
    print(f"p50 {latencies['50']}, p99 {latencies['99']}")
    if "Non-2xx" in text:
        raise SystemExit(f"not all answers were successes:\n{text}")


if __name__ == "__main__":
    main()
