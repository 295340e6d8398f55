"""Processes on the head node that wait for the actors of the next test.

A process of Ray's takes most of a second to start and to import what an actor needs, and a test
needs three of them one after the other. A raylet starts some ahead when it is asked to, and keeps
them; the first actor that comes takes one.
"""

import asyncio
import logging

import psutil
import ray

_log = logging.getLogger(__name__)
_KEEP_SECONDS = 30 * 24 * 3600
_ANSWER_SECONDS = 5.0
_IDLE = ("ray::IDLE", "default_worker.py")
"""In the command lines of processes that have nothing to do, and of those that are starting."""


async def replenish(count: int) -> None:
    """Have ``count`` processes wait on this node. Without them tests take longer to be ready, so
    what goes wrong is logged and not raised."""
    try:
        await asyncio.to_thread(_replenish, count)
    except Exception:
        _log.warning("no process can be started ahead", exc_info=True)


def _replenish(count: int) -> None:
    # Of Ray's inside: imported here, so that a Ray without them costs time and nothing else.
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated.common_pb2 import PYTHON  # type: ignore[attr-defined]
    from ray.core.generated.node_manager_pb2 import (  # type: ignore[attr-defined]
        PrestartWorkersRequest,
    )
    from ray.core.generated.node_manager_pb2_grpc import NodeManagerServiceStub

    missing = count - _waiting()
    if missing <= 0:
        return
    mine = ray.get_runtime_context().get_node_id()
    node = next(node for node in ray.nodes() if node["NodeID"] == mine)
    request = PrestartWorkersRequest(language=PYTHON, keep_alive_duration_secs=_KEEP_SECONDS)
    request.runtime_env_info.serialized_runtime_env = "{}"
    with init_grpc_channel(f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}") as channel:
        raylet = NodeManagerServiceStub(channel)
        # A raylet starts no more at once than it has CPUs, and forgets about the rest.
        cpus = max(1, int(node["Resources"].get("CPU", 1)))
        request.num_workers = min(missing, cpus)
        raylet.PrestartWorkers(request, timeout=_ANSWER_SECONDS)


def _waiting() -> int:
    """How many there are, of those that this node's raylet has started."""
    raylet = psutil.Process().parent()
    if raylet is None:
        return 0
    found = 0
    for process in raylet.children():
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        found += any(name in words for name in _IDLE)
    return found
