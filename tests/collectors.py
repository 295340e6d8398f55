"""A Prometheus that collects the metrics of a platform, as the one of an operator does."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILES = Path(__file__).parents[1] / "docs" / "observability"
PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None,
    reason="there is no Prometheus: apt-get install prometheus",
)


@dataclass(frozen=True)
class Prometheus:
    """A running one."""

    url: str

    def query(self, expression: str) -> list[Any]:
        """The series that it has now."""
        return self._ask("query", query=expression)

    def query_since(self, expression: str, began: float) -> list[Any]:
        """The series that it has had since then, a value a second."""
        now = time.time()
        return self._ask("query_range", query=expression, start=began, end=now, step=1)

    def alerts(self) -> set[str]:
        """Names of all alerts that it knows."""
        groups = self._get("/api/v1/rules")["groups"]
        return {rule["name"] for group in groups for rule in group["rules"]}

    def _ask(self, kind: str, **parameters: Any) -> list[Any]:
        return list(self._get(f"/api/v1/{kind}?{urllib.parse.urlencode(parameters)}")["result"])

    def _get(self, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, timeout=30) as response:
            answer = json.loads(response.read())
        assert answer["status"] == "success", answer
        return answer["data"]


@contextlib.contextmanager
def running_prometheus(directory: Path, targets: Path) -> Iterator[Prometheus]:
    """Collects each second, from where ``targets`` says, with the alerts of the documentation."""
    assert PROMETHEUS is not None
    config = directory / "prometheus.yml"
    config.write_text(
        (FILES / "prometheus.yml")
        .read_text()
        .replace("_interval: 10s", "_interval: 1s")
        .replace("- alerts.yml", f"- {FILES / 'alerts.yml'}")
        .replace("/home/you/.fusillade/prometheus_targets.json", str(targets))
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = directory / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        started = Prometheus(f"http://{address}")
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                started.query("up")
                break
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield started
    finally:
        process.terminate()
        process.wait(60)
