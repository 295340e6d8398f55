"""Starting, joining and leaving Ray: all that ``fusillade up`` and ``down`` need to know of it.

A platform's own Ray shares a machine with others without noticing them: every port is a free one,
every socket and log is in a directory of its own, nothing listens beyond loopback, and whoever
speaks to it needs the token.
"""

import importlib
import logging
import os
import random
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from actors.names import NAMESPACE
from fusillade.errors import InternalError, ValidationFailed

OBJECT_STORE_BYTES = 128 << 20
"""Only metrics deltas and scripts pass through the object store."""

PEER_HEADER = "X-Fusillade-Peer"
"""In it HAProxy tells the API from which address a request has come."""

_BALANCE = "RAY_SERVE_HAPROXY_BALANCE_ALGORITHM"
_FORWARD = f"option forwardfor header {PEER_HEADER}"

SERVE_WITH_HAPROXY = {
    # HAProxy served several times the requests/s of Serve's own proxy on the same cores.
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # Serve has no setting for what HAProxy forwards. This one is copied to the end of its
    # "defaults" as it is, so a second line there is one more option.
    _BALANCE: f"leastconn\n    {_FORWARD}",
    # Otherwise uvicorn believes X-Forwarded-For of whoever connects from this machine, and all
    # do, by way of HAProxy.
    "FORWARDED_ALLOW_IPS": "",
    # How long a replica that is to end waits for HAProxy to notice. It is told at once, and asks
    # again elsewhere when it is refused; with Serve's own 30 s `down` took as long.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
}
"""Variables that Serve reads on import, wherever it runs."""

CLUSTER_ENVIRONMENT = {
    # A node that does not answer three times in a row is dead: after 1.5 s where its processes are
    # gone, after 4 s where nothing comes back at all. Ray's own values make that 15 s to a minute.
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "800",
    "RAY_health_check_failure_threshold": "3",
}
"""Variables for all nodes of a cluster, where another node can take over what was lost."""

NODE_ENVIRONMENT = (
    {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    | CLUSTER_ENVIRONMENT
    | SERVE_WITH_HAPROXY
)
"""Variables for ``ray start`` on every node of a cluster that ``up --address`` joins."""

REPLICA_PORTS = 100
"""Ports that Serve may give to replicas for the requests HAProxy sends them."""

_PORT_RANGE = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections, which may take one at any moment."""


def serve_environment(runtime_dir: Path) -> dict[str, str]:
    """Variables that Serve reads on import, in every process: HAProxy on, its ports and files."""
    proxy_dir = runtime_dir / "proxy"
    fallback, metrics, stats = free_ports(3)
    first = _free_block(REPLICA_PORTS)
    return SERVE_WITH_HAPROXY | {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(proxy_dir / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(proxy_dir / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(proxy_dir),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(proxy_dir / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(proxy_dir / "metrics.sock"),
        # No access log: a request line may hold a token. Nobody listens at this socket.
        "RAY_SERVE_HAPROXY_LOG_TARGET": str(proxy_dir / "nobody.sock"),
        "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + REPLICA_PORTS),
    }


def forwards_peers(environment: Mapping[str, str]) -> bool:
    """Whether the HAProxy of the Ray with this environment sets PEER_HEADER."""
    return _FORWARD in environment.get(_BALANCE, "")


def ray_environment(token_file: Path) -> dict[str, str]:
    """Variables for every process that speaks to the platform's own Ray."""
    return {
        "RAY_AUTH_MODE": "token",
        # The path, not the token: an environment shows up in more places than a file.
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        # Despite its name it decides on every system whether a node announces itself under
        # its public address or under 127.0.0.1.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_preload_python_modules": "actors.spare",
    }


def start_local(
    runtime_dir: Path,
    region: str,
    environment: Mapping[str, str],
    *,
    dashboard_port: int | None = None,
) -> str:
    """Start a Ray head node that outlives this process; returns its address, ``host:port``.

    With ``dashboard_port``, Ray's dashboard listens there, on loopback.
    ``runtime_dir`` must be short: Ray puts Unix sockets about 70 characters below it, and 107 is
    all there may be. Raises InternalError with Ray's own last words.
    """
    port, client_port, spare_port = free_ports(3)
    command = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head"),
        f"--port={port}",
        f"--ray-client-server-port={client_port}",
        f"--dashboard-port={dashboard_port or spare_port}",
        f"--include-dashboard={'false' if dashboard_port is None else 'true'}",
        "--dashboard-host=127.0.0.1",
        "--dashboard-agent-listen-port=0",
        "--min-worker-port=0",
        "--max-worker-port=0",
        f"--temp-dir={runtime_dir}",
        f"--labels=ray.io/region={region}",
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        "--include-log-monitor=false",
        "--disable-usage-stats",
        "--no-monitor",  # the autoscaler, which a single machine has no use for
    ]
    log = runtime_dir / "start.log"
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in this terminal is for `fusillade up`, not for Ray.
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=runtime_dir,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if code != 0:
        lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise InternalError(f"Ray did not start: {lines[-1]}")
    return f"127.0.0.1:{port}"


def check_reachable(address: str) -> None:
    """Raise ValidationFailed if nobody listens there: Ray itself would try for many minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except ValueError as error:
        raise ValidationFailed(f"{address} is no address of a Ray: give HOST:PORT.") from error
    except OSError as error:
        raise ValidationFailed(
            f"No Ray can be reached at {address} ({error.strerror or 'no answer'}): give the "
            "HOST:PORT that its `ray start --head` printed."
        ) from error


def connect(address: str) -> str:
    """Make this process a driver in Fusillade's namespace; returns the address as Ray knows it.

    Raises InternalError if Ray does not let it in.
    """
    ray = importlib.import_module("ray")
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, OSError) as error:
        raise InternalError(
            f"The Ray at {address} does not let us in ({_first_line(error)}): check the address, "
            "RAY_AUTH_MODE, and the token in RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH."
        ) from error
    return str(ray.get_runtime_context().gcs_address)


def is_connected() -> bool:
    """Whether this process is a driver already."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def disconnect() -> None:
    """Leave Ray; what is detached (Serve, test runs) goes on."""
    import ray

    ray.shutdown()


def metrics_addresses() -> list[str]:
    """Where the nodes of the joined Ray show their metrics to Prometheus, ``host:port``."""
    import ray

    return [
        f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}"
        for node in ray.nodes()
        if node["Alive"]
    ]


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens, all different."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.choice(_PORT_RANGE)
        if port not in ports and is_free("127.0.0.1", port):
            ports.append(port)
    return ports


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _free_block(count: int) -> int:
    """The first of ``count`` ports in a row of which none is in use."""
    while True:
        first = random.choice(_PORT_RANGE[:-count])
        if all(is_free("127.0.0.1", port) for port in range(first, first + count)):
            return first


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def end_actors() -> None:
    """Kill the test runs, workers and aggregators of Fusillade's namespace on the joined Ray, and
    give back the machines that they had."""
    import ray

    from actors import names, placement

    for entry in ray.util.list_named_actors(all_namespaces=True):
        if entry["namespace"] == NAMESPACE:
            try:
                ray.kill(ray.get_actor(entry["name"], namespace=NAMESPACE))
            except ValueError:  # it ended by itself meanwhile
                continue
    for group in ray.util.placement_group_table().values():
        test_id = names.test_of(group["name"])
        if test_id is not None:
            placement.release(str(test_id))
