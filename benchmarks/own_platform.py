"""A platform of a benchmark's own, and a client of its API."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from peers import free_port

FUSILLADE = Path(sys.executable).with_name("fusillade")
_FORM = '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
_LONGEST_SECONDS = 120


class Api:
    """Speaks as the platform's administrator."""

    def __init__(self, base: str, admin: dict[str, str]) -> None:
        self._base = base
        self._token = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        login = {"email": admin["email"], "password": admin["password"]}
        body = json.dumps(login).encode()
        self._token = self.call("/auth/login", body, "application/json")["token"]

    def call(self, path: str, body: bytes | None = None, kind: str = "text/plain") -> Any:
        """GET, or POST of ``body``; the answer's JSON."""
        headers = {"Content-Type": kind}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(f"{self._base}/api/v1{path}", body, headers)
        with self._opener.open(request, timeout=_LONGEST_SECONDS) as answer:
            return json.loads(answer.read())

    def create(self, query: str = "", **fields: Any) -> dict[str, Any]:
        """``POST /tests`` with these form fields."""
        form = "".join(_FORM.format(name=name, value=value) for name, value in fields.items())
        kind = "multipart/form-data; boundary=b"
        test: dict[str, Any] = self.call(f"/tests{query}", f"{form}--b--\r\n".encode(), kind)
        return test


@contextlib.contextmanager
def own_platform(prefix: Sequence[str] = (), **settings: str) -> Iterator[Api]:
    """``fusillade up`` in a temporary directory, without rate limits, and down at the end.

    ``prefix``: a command that runs it, such as ``taskset``; ``settings`` by their names there.
    """
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as root:
        data_dir, port = f"--data-dir={root}/data", free_port()
        environment = os.environ | {
            "FUSILLADE_RATE_LIMIT_REQUESTS": "0",
            "FUSILLADE_RATE_LIMIT_AUTH_REQUESTS": "0",
            **settings,
        }
        try:
            subprocess.run(
                [*prefix, str(FUSILLADE), "up", "--detach", data_dir, f"--port={port}"],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )
            admin = json.loads(Path(root, "data", "admin.json").read_text())
            yield Api(f"http://127.0.0.1:{port}", admin)
        finally:
            subprocess.run([str(FUSILLADE), "down", data_dir], stdout=subprocess.DEVNULL)
