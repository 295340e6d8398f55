"""Whether Ray answers, the Redis behind its control store, and named actors. All calls block."""

import os
import socket
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from actors import placement
from fusillade.errors import InternalError

_REDIS_SECONDS = 1.5
_REDIS_PORT = 6379


def ask_ray() -> dict[str, Any]:
    """How many nodes are alive, and named actors (which all of ours are). Raises what Ray raises
    when it does not answer."""
    import ray

    if not ray.is_initialized():
        raise ConnectionError("this process is not part of a Ray cluster")
    nodes = sum(1 for node in ray.nodes() if node["Alive"])
    return {"nodes": nodes, "actors": len(ray.util.list_named_actors(all_namespaces=True))}


def ask_actor(name: str, patience_seconds: float) -> dict[str, Any]:
    """The ``state`` of an actor that looks at the database again and again, with ``looked_at``.

    Raises what Ray raises when it does not answer, and InternalError when it has not looked for
    ``patience_seconds``.
    """
    import ray
    from ray.exceptions import RayActorError

    if not ray.is_initialized():
        raise ConnectionError("this process is not part of a Ray cluster")
    handle = placement.find(name)
    if handle is None:
        raise RayActorError
    state: dict[str, Any] = ray.get(handle.state.remote())
    looked_at = state["looked_at"]
    if looked_at is None or _seconds_since(looked_at) > patience_seconds:
        raise InternalError(f"{name} has not looked at the database since {looked_at}.")
    return state


def _seconds_since(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


def ask_redis() -> dict[str, Any]:
    """A PING (https://redis.io/docs/latest/develop/reference/protocol-spec/) to the address that
    ``RAY_REDIS_ADDRESS`` names; ``not used`` where it names none. Raises ``OSError``."""
    address = os.environ.get("RAY_REDIS_ADDRESS", "").split(",")[0]
    if not address:
        return {"status": "not used", "latency_ms": None}
    parts = urlsplit(address if "//" in address else f"//{address}")
    target = (parts.hostname or "localhost", parts.port or _REDIS_PORT)
    with socket.create_connection(target, timeout=_REDIS_SECONDS) as connection:
        connection.sendall(b"PING\r\n")
        # Without a password Redis answers NOAUTH: it is there all the same.
        if not connection.recv(64).startswith((b"+PONG", b"-NOAUTH")):
            raise ConnectionError("what answers there is not Redis")
    return {}
