"""What Ray, with its autoscaler, says of the machines that there are and that tests wait for."""

import functools
from collections import Counter
from typing import Any

import ray

# Compiled, and generated on import: neither is there for a type checker.
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.core.generated.autoscaler_pb2 import (  # type: ignore[attr-defined]
    GetClusterStatusReply,
    NodeStatus,
)

from actors import names
from fusillade.capacity import ClusterCapacity, Machine, capacity_of

(_HEAD_RESOURCE,) = names.ON_HEAD_NODE


def refused_groups(timeout_seconds: float) -> set[str] | None:
    """Ids of placement groups, as hexadecimal digits, for which no machine will be started: all
    types of machines that would do are at their ``max_workers``, or there is none.

    It is as old as the autoscaler's last look, some seconds; None where no autoscaler has ever
    looked. Blocks; raises ``RayError``.
    """
    state = _status(timeout_seconds).autoscaling_state
    return _refused(state) if state.autoscaler_state_version else None


def capacity(timeout_seconds: float) -> ClusterCapacity:
    """The machines of all regions. Blocks; raises ``RayError``."""
    status = _status(timeout_seconds)
    machines = []
    region_of_type: dict[str, str] = {}
    for node in status.cluster_resource_state.node_states:
        region = node.labels.get(names.REGION_LABEL)
        if region is None:
            continue
        if node.ray_node_type_name:
            region_of_type[node.ray_node_type_name] = region
        if node.status != NodeStatus.DEAD:
            machines.append(
                Machine(
                    region=region,
                    cpus=node.total_resources.get("CPU", 0.0),
                    cpus_free=node.available_resources.get("CPU", 0.0),
                    is_head=_HEAD_RESOURCE in node.total_resources,
                )
            )
    # The autoscaler tells types alone. Where there has never been a node of it, a type counts for
    # the region of its name.
    starting: Counter[str] = Counter()
    state = status.autoscaling_state
    for request in state.pending_instance_requests:
        name = request.ray_node_type_name
        starting[region_of_type.get(name, name)] += request.count
    for instance in state.pending_instances:
        name = instance.ray_node_type_name
        starting[region_of_type.get(name, name)] += 1
    scales = bool(state.autoscaler_state_version)
    return capacity_of(machines, starting, scales=scales, refused_groups=_refused(state))


def _refused(state: Any) -> set[str]:
    # Ray's own ClusterStatus leaves these out. Their details are "<id>:<strategy>|<state>".
    refused = state.infeasible_gang_resource_requests
    return {request.details.partition(":")[0] for request in refused}


def _status(timeout_seconds: float) -> Any:
    client = _client(ray.get_runtime_context().gcs_address)
    answer = client.get_cluster_status(timeout_s=timeout_seconds)
    return GetClusterStatusReply.FromString(answer)


@functools.lru_cache(maxsize=1)
def _client(address: str) -> GcsClient:
    return GcsClient(address)
