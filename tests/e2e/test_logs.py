"""What the actors of a platform log, where it is to be JSON."""

import json
from typing import Any

from clusters import Cluster
from platforms import Platform
from target import Target


def test_the_lines_of_a_run_are_objects_that_name_test_actor_and_region(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user = cluster_platform.log_in()
    test = user.run(
        f"export default function () {{ http.get('{target.url}/health'); }}",
        name="Logged",
        region="us-east-1",
        duration=1,
    )
    lines = [line for line in _lines(cluster) if line.get("test") == test["id"]]
    by_actor: dict[str, list[str]] = {}
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(line)
        by_actor.setdefault(line["actor"], []).append(line["message"])
    states = [message for message in by_actor[f"test:{test['id']}"] if " is " in message]
    assert [message.split(" is ")[1] for message in states] == [
        "ready",
        "pending",
        "running",
        "completed",
    ]
    assert "share 0 ran to its end" in by_actor[f"worker:{test['id']}:0:0"]
    assert by_actor[f"metrics:{test['id']}"]
    regions = {line["region"] for line in lines if line["actor"].startswith("worker:")}
    assert regions == {"us-east-1"}


def _lines(cluster: Cluster) -> list[dict[str, Any]]:
    """What is JSON of what all processes of the cluster's Ray have written."""
    found = []
    for file in cluster.directory.glob("session_*/logs/worker-*.err"):
        if not file.parents[1].is_symlink():
            for text in file.read_text(errors="replace").splitlines():
                if text.startswith("{"):
                    found.append(json.loads(text))
    return found
