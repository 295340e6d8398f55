"""What Ray says of the machines that tests have reserved."""

from uuid import UUID

from ray.util import placement_group_table

from actors import autoscaler, names
from actors.cluster_question import ANSWER_SECONDS
from fusillade.queueing import Reservation

_NO_ROOM = ("NO_RESOURCES", "INFEASIBLE")


def reservations() -> dict[UUID, Reservation]:
    """By test. Blocks; raises ``RayError``."""
    found = {}
    refused = autoscaler.refused_groups(ANSWER_SECONDS)
    for group_id, group in placement_group_table().items():
        test_id = names.test_of(group["name"])
        if test_id is None or group["state"] == "REMOVED":
            continue
        nodes = group["bundles_to_node_id"].items()
        # The nil id is all ones.
        placed = frozenset(index for index, node in nodes if node.strip("f"))
        is_complete = group["state"] == "CREATED"
        # A cluster that does not scale has refused when it has looked for room and found none.
        is_refused = (
            group["stats"]["scheduling_state"] in _NO_ROOM
            if refused is None
            else group_id in refused
        )
        found[test_id] = Reservation(is_complete, placed, is_refused and not is_complete)
    return found
