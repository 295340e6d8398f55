"""What the actors are called; all are detached, in one namespace."""

from typing import Any
from uuid import UUID

NAMESPACE = "fusillade"
REGION_LABEL = "ray.io/region"

SCHEDULER = "scheduler"
"""The SchedulerActor."""

WEBHOOKS = "webhooks"
"""The WebhookDispatcher."""

EXPORTS = "exports"
"""The ExportActor."""

Id = str | UUID


def test_run(test_id: Id) -> str:
    """The TestRunActor of a test; its placement group has the same name."""
    return f"test:{test_id}"


def test_of(name: str) -> UUID | None:
    """The reverse of :func:`test_run`; None for any other name."""
    kind, _, test_id = name.partition(":")
    try:
        return UUID(test_id) if kind == "test" else None
    except ValueError:
        return None


def worker(test_id: Id, index: int, generation: int) -> str:
    """The WorkerActor that runs share ``index`` of a test, after so many others that were lost."""
    return f"{workers(test_id)}{index}:{generation}"


def workers(test_id: Id) -> str:
    """How the names of all WorkerActors of a test begin."""
    return f"worker:{test_id}:"


def metrics(test_id: Id) -> str:
    """The MetricsAggregator of a test."""
    return f"metrics:{test_id}"


def options(name: str, **more: Any) -> dict[str, Any]:
    """Options of a detached actor of that name, the existing one if there is one."""
    return {
        "name": name,
        "namespace": NAMESPACE,
        "lifetime": "detached",
        "get_if_exists": True,
        **more,
    }


ON_HEAD_NODE: dict[str, float] = {"node:__internal_head__": 0.001}
"""Resources that only the head node has: what speaks to the database lives there, since the
bundled database listens nowhere else."""
