"""The nodes of ``cluster.yaml`` on this machine, started and ended by Ray's own autoscaler.

Ray's fake multi-node provider stands in for AWS: it starts a node as a raylet beside the others.
``python tests/autoscaling.py`` puts a platform on such a cluster and shows its nodes until Ctrl-C.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from clusters import CPUS, Cluster, platform_on, running_cluster
from ray.autoscaler._private.fake_multi_node.node_provider import (
    FAKE_HEAD_NODE_ID,
    FAKE_HEAD_NODE_TYPE,
    FakeMultiNodeProvider,
)

from fusillade.cli.platform import interrupt_on_signals

CLUSTER_YAML = Path(__file__).parents[1] / "cluster.yaml"
IDLE_SECONDS = 3.0
NODES = 1
"""How many nodes each region may have."""

_ENVIRONMENT = {
    "RAY_FAKE_CLUSTER": "1",
    "RAY_enable_autoscaler_v2": "1",  # as `ray up` does
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    # Nodes that start together on one machine take each other's sockets.
    "AUTOSCALER_MAX_CONCURRENT_LAUNCHES": "1",
    "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
}


def _given() -> dict[str, Any]:
    return dict(yaml.safe_load(CLUSTER_YAML.read_text()))


def scaled_down(address: str) -> str:
    """``cluster.yaml`` for this machine, with the head at ``address``.

    The types of nodes keep names and labels. They get fewer CPUs, for which Ray takes our word, one
    node a region and seconds until it is idle; the head gets no CPU, and the name that the provider
    knows it by. Who starts the nodes and how is the provider's affair.
    """
    given = _given()
    types = given["available_node_types"]
    head = types.pop(given["head_node_type"])
    for kind in types.values():
        kind |= {"node_config": {}, "resources": {"CPU": CPUS}, "max_workers": NODES}
    types[FAKE_HEAD_NODE_TYPE] = head | {"node_config": {}, "resources": {"CPU": 0}}
    provider = {
        "type": "external",
        "module": f"{FakeMultiNodeProvider.__module__}.{FakeMultiNodeProvider.__name__}",
        "launch_multiple": True,
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        "head_node_id": FAKE_HEAD_NODE_ID,
        "gcs_address": address,
    }
    # An external provider has no defaults for what a launcher would do.
    lists = ("initialization_commands", "cluster_synced_files", "rsync_exclude", "rsync_filter")
    commands = [
        f"{when}_commands"
        for when in ("setup", "head_setup", "worker_setup", "head_start_ray", "worker_start_ray")
    ]
    nothing: dict[str, Any] = {name: [] for name in [*lists, *commands]}
    return yaml.safe_dump(
        nothing
        | {
            "cluster_name": given["cluster_name"],
            "max_workers": given["max_workers"],
            "idle_timeout_minutes": IDLE_SECONDS / 60,
            "provider": provider,
            "auth": {},
            "docker": {},
            "file_mounts": {},
            "file_mounts_sync_continuously": False,
            "available_node_types": types,
            "head_node_type": FAKE_HEAD_NODE_TYPE,
        }
    )


@contextlib.contextmanager
def running_autoscaling_cluster() -> Iterator[Cluster]:
    """A head; the other nodes of ``cluster.yaml`` come and go with what tests ask for."""
    with running_cluster(autoscaling=scaled_down, **_ENVIRONMENT) as cluster:
        yield cluster


def machines(cluster: Cluster, region: str) -> int:
    """How many nodes of a region run."""
    raylets = [process.cmdline() for process in cluster.processes("raylet/raylet")]
    return sum(1 for line in raylets if any(region in word for word in line))


def _show() -> None:
    """Print how many nodes each region has whenever that changes."""
    given = _given()
    regions = [name for name in given["available_node_types"] if name != given["head_node_type"]]
    with running_autoscaling_cluster() as cluster, platform_on(cluster) as platform:
        print(f"{platform.url} as {platform.email} with password {platform.password}")
        began, shown = time.monotonic(), ""
        while True:
            counts = [(region, machines(cluster, region)) for region in regions]
            line = "  ".join(f"{name}: {n} node{'' if n == 1 else 's'}" for name, n in counts)
            if line != shown:
                print(f"{time.monotonic() - began:4.0f} s  {line}", flush=True)
                shown = line
            time.sleep(0.5)


if __name__ == "__main__":
    interrupt_on_signals()
    with contextlib.suppress(KeyboardInterrupt):
        _show()
