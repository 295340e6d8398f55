"""Whole platforms for tests."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from client import Client

from fusillade.cli import home, processes

FUSILLADE = Path(sys.executable).with_name("fusillade")
WORKERS_PER_ACTOR = 25
"""Small, so that 26 virtual users need two WorkerActors."""


@dataclass(frozen=True)
class Platform:
    """A running platform and its administrator."""

    url: str
    email: str
    password: str
    data_dir: Path
    family: Callable[[str], list[psutil.Process]] | None = None
    """Where it is on a Ray that was there: the processes of that Ray with a word in their command
    line."""

    def log_in(self) -> Client:
        """A client with a new token."""
        body = {"email": self.email, "password": self.password}
        return Client(self.url, Client(self.url).post("/api/v1/auth/login", body=body)["token"])

    def key(self, *scopes: str) -> str:
        """A new API key."""
        body = {"name": "Key", "scopes": list(scopes)}
        return str(self.log_in().post("/api/v1/keys", body=body)["key"])

    def processes(self, word: str) -> list[psutil.Process]:
        """Processes of the platform's Ray with ``word`` in their command line."""
        if self.family is not None:
            return self.family(word)
        running = home.read_running(self.data_dir)
        assert running is not None
        return [
            process
            for process in processes.belonging_to(running.id)
            if word in " ".join(process.cmdline())
        ]


@contextlib.contextmanager
def running_platform(
    *,
    address: str | None = None,
    environment: Mapping[str, str] = os.environ,
    family: Callable[[str], list[psutil.Process]] | None = None,
    **settings: str,
) -> Iterator[Platform]:
    """``fusillade up --detach``, taken down at the end; ``settings`` by their environment names.

    With ``address``, on the Ray there, for which ``environment`` has the token."""
    with tempfile.TemporaryDirectory(prefix="fusi-e2e-", dir="/tmp") as root:
        data_dir = Path(root) / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {k: v for k, v in environment.items() if not k.startswith("FUSILLADE_")} | {
            "FUSILLADE_WORKERS_PER_ACTOR": str(WORKERS_PER_ACTOR),
            "FUSILLADE_RELAY_FROM": "2",
            "FUSILLADE_WATCHDOG_SECONDS": "2",
            "FUSILLADE_RATE_LIMIT_REQUESTS": "0",
            "FUSILLADE_RATE_LIMIT_AUTH_REQUESTS": "0",
            "FUSILLADE_HOST_MEMORY_BYTES": str(300 << 20),
            **settings,
        }
        try:
            joined = [] if address is None else [f"--address={address}"]
            where = [f"--data-dir={data_dir}", f"--port={port}", *joined]
            subprocess.run(
                [str(FUSILLADE), "up", "--detach", *where],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
                timeout=300,
            )
            admin = json.loads((data_dir / "admin.json").read_text())
            url = f"http://127.0.0.1:{port}"
            yield Platform(url, admin["email"], admin["password"], data_dir, family)
        finally:
            # As from a new shell, which does not know how to speak to a Ray that was joined.
            forgetful = {k: v for k, v in environment.items() if not k.startswith("RAY_AUTH_")}
            subprocess.run(
                [str(FUSILLADE), "down", f"--data-dir={data_dir}"],
                env=forgetful,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=180,
            )
