"""Ray clusters of several nodes on this machine, each labelled with a region, and a platform on one.

A node is a raylet with its workers, in a session of its own and with a mark of its own in the
environment, so that it can be killed as a whole, as if its machine had lost power.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from platforms import Platform, running_platform

from actors import platform as ray_platform
from fusillade.cli import processes
from fusillade.private_files import read_or_make_secret

HEAD = "head"
"""The region of the head node, which carries no load."""
CPUS = 2
"""WorkerActors that a node takes, if nothing else is said."""
_HOST = "127.0.0.2"
"""Of all nodes. For 127.0.0.1 Ray puts the machine's public address wherever a node joins."""
_START_SECONDS = 60
_END_SECONDS = 10


@dataclass(frozen=True)
class Node:
    """One node of a cluster."""

    region: str
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Its processes with ``word`` in their command line; script hosts are among them."""
        found = []
        for process in processes.belonging_to(self.mark):
            with contextlib.suppress(psutil.Error):
                if word in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def kill(self) -> None:
        """SIGKILL for all of it at once: nobody has time to say goodbye."""
        family = self.processes()
        self._signal(signal.SIGSTOP, family)  # so that no process starts another meanwhile
        deadline = time.monotonic() + _END_SECONDS
        while family := self.processes():
            self._signal(signal.SIGKILL, family)
            assert time.monotonic() < deadline, f"still there: {family}"
            time.sleep(0.02)

    def freeze(self) -> None:
        """Stop all of it where it is, as if its network cable was pulled."""
        self._signal(signal.SIGSTOP, self.processes())

    def thaw(self) -> None:
        """Let it go on after :meth:`freeze`."""
        self._signal(signal.SIGCONT, self.processes())

    def _signal(self, number: int, family: list[psutil.Process]) -> None:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@dataclass
class Cluster:
    """A running Ray cluster: the head first, then the nodes that carry load."""

    address: str
    """Of its head, ``host:port``."""
    environment: Mapping[str, str]
    """What a process needs to speak to it, its token included."""
    directory: Path
    nodes: list[Node]

    def add(self, region: str, cpus: int = CPUS) -> Node:
        """One more node, known to the cluster when this returns."""
        node = Node(region)
        self.nodes.append(node)
        _start(
            node,
            [f"--address={self.address}", f"--labels={_label(region)}", f"--num-cpus={cpus}"],
            self.environment,
            self.directory,
        )
        return node

    def remove(self, node: Node) -> None:
        """Kill a node, and forget it."""
        node.kill()
        self.nodes.remove(node)

    def of(self, region: str) -> list[Node]:
        """The nodes of a region, in the order in which they were started."""
        return [node for node in self.nodes if node.region == region]

    def processes(self, word: str) -> list[psutil.Process]:
        """Processes of all nodes with ``word`` in their command line."""
        return [process for node in self.nodes for process in node.processes(word)]


@contextlib.contextmanager
def running_cluster(
    *regions: str,
    cpus: int = CPUS,
    autoscaling: Callable[[str], str] | None = None,
    **environment: str,
) -> Iterator[Cluster]:
    """A head without load, and a node for each of ``regions``; nothing is left at the end.

    ``autoscaling``: makes the text of the autoscaler's file from the head's address."""
    with tempfile.TemporaryDirectory(prefix="fusi-", dir="/tmp") as root:
        directory = Path(root)
        token = directory / "ray_token"
        read_or_make_secret(token)
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RAY_", "FUSILLADE_"))
        }
        own |= ray_platform.ray_environment(token) | ray_platform.CLUSTER_ENVIRONMENT | environment
        own["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"  # "0", as of one node, lets none join
        head = Node(HEAD)
        cluster = Cluster(f"{_HOST}:{ray_platform.free_ports(1)[0]}", own, directory, [head])
        try:
            _start_head(cluster, head, autoscaling)
            for region in regions:
                cluster.add(region, cpus)
            yield cluster
        finally:
            for node in reversed(cluster.nodes):
                node.kill()


@contextlib.contextmanager
def platform_on(cluster: Cluster, **settings: str) -> Iterator[Platform]:
    """``fusillade up --address``: a platform on a cluster; its ``processes`` are the cluster's."""
    with running_platform(
        address=cluster.address,
        environment=cluster.environment,
        family=cluster.processes,
        **settings,
    ) as platform:
        yield platform


def _label(region: str) -> str:
    return f"ray.io/region={region}"


def _start_head(
    cluster: Cluster, head: Node, autoscaling: Callable[[str], str] | None = None
) -> None:
    client_port, dashboard_port = ray_platform.free_ports(2)
    scaling = "--no-monitor"
    if autoscaling is not None:
        file = cluster.directory / "autoscaling.yaml"
        file.write_text(autoscaling(cluster.address))
        scaling = f"--autoscaling-config={file}"
    arguments = [
        "--head",
        f"--port={cluster.address.rpartition(':')[2]}",
        f"--ray-client-server-port={client_port}",
        f"--dashboard-port={dashboard_port}",
        "--include-dashboard=false",
        f"--temp-dir={cluster.directory}",
        f"--labels={_label(head.region)}",
        "--num-cpus=0",
        scaling,
    ]
    serve = ray_platform.serve_environment(cluster.directory)
    _start(head, arguments, {**cluster.environment, **serve}, cluster.directory)


def _start(
    node: Node, arguments: list[str], environment: Mapping[str, str], directory: Path
) -> None:
    # One after the other: nodes that start together on one machine take each other's sockets.
    log = directory / f"{node.mark}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", *arguments),
                f"--node-ip-address={_HOST}",
                "--dashboard-agent-listen-port=0",
                "--min-worker-port=0",
                "--max-worker-port=0",
                f"--object-store-memory={ray_platform.OBJECT_STORE_BYTES}",
                "--include-log-monitor=false",
                "--disable-usage-stats",
            ],
            env={**environment, processes.MARK: node.mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )
        assert process.wait(_START_SECONDS) == 0, log.read_text()
