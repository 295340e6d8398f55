"""What Ray's autoscaler says of the machines that tests wait for."""

import functools

import ray

# Compiled, and generated on import: neither is there for a type checker.
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply  # type: ignore[attr-defined]


def refused_groups(timeout_seconds: float) -> set[str] | None:
    """Ids of placement groups, as hexadecimal digits, for which no machine will be started: all
    types of machines that would do are at their ``max_workers``, or there is none.

    It is as old as the autoscaler's last look, some seconds; None where no autoscaler has ever
    looked. Blocks; raises ``RayError``.
    """
    client = _client(ray.get_runtime_context().gcs_address)
    reply = GetClusterStatusReply.FromString(client.get_cluster_status(timeout_s=timeout_seconds))
    if not reply.autoscaling_state.autoscaler_state_version:
        return None
    # Ray's own ClusterStatus leaves these out. Their details are "<id>:<strategy>|<state>".
    refused = reply.autoscaling_state.infeasible_gang_resource_requests
    return {request.details.partition(":")[0] for request in refused}


@functools.lru_cache(maxsize=1)
def _client(address: str) -> GcsClient:
    return GcsClient(address)
