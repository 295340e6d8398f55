"""Where a test's WorkerActors run: machines of its region, started if need be."""

import asyncio
from collections.abc import Sequence
from typing import Any

import ray
from ray.util import (
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.placement_group import PlacementGroup

from actors import names

_LOOK_SECONDS = 1
"""Ray drops what is not whole: a part of a second would be no time at all."""


def reserve(test_id: str, regions: Sequence[str]) -> PlacementGroup:
    """Ask for one CPU for each WorkerActor, on a node of its region.

    Returns at once; on a cluster that scales this is what starts machines.
    """
    return placement_group(
        [{"CPU": 1.0}] * len(regions),
        strategy="SPREAD",
        name=names.test_run(test_id),
        lifetime="detached",
        bundle_label_selector=[{names.REGION_LABEL: region} for region in regions],
    )


def reserved(test_id: str) -> PlacementGroup | None:
    """What a test has asked for, and has perhaps got, before this."""
    try:
        return get_placement_group(names.test_run(test_id))
    except ValueError:
        return None


async def is_ready(group: PlacementGroup) -> bool:
    """Wait a moment for the machines; whether all are there."""
    return await asyncio.to_thread(group.wait, _LOOK_SECONDS)


async def nodes(group: PlacementGroup) -> dict[int, str]:
    """Ray's id of the machine of each bundle that has one."""
    table = await asyncio.to_thread(placement_group_table, group)
    return dict(table["bundles_to_node_id"])


def size(test_id: str) -> int:
    """How many WorkerActors a test has asked room for; 0 when it has none."""
    group = reserved(test_id)
    return 0 if group is None else int(group.bundle_count)


def release(test_id: str) -> None:
    """Give the CPUs back."""
    group = reserved(test_id)
    if group is not None:
        remove_placement_group(group)


def find(name: str) -> Any | None:
    """A living named actor of ours; None if there is none."""
    try:
        return ray.get_actor(name, namespace=names.NAMESPACE)
    except ValueError:
        return None


def kill_all(prefix: str) -> None:
    """End all actors of ours whose names begin so."""
    for entry in ray.util.list_named_actors(all_namespaces=True):
        if entry["namespace"] == names.NAMESPACE and entry["name"].startswith(prefix):
            kill(entry["name"])


def kill(name: str) -> None:
    """End a named actor for good, if it lives."""
    handle = find(name)
    if handle is not None:
        ray.kill(handle, no_restart=True)
