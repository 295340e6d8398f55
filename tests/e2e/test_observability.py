"""What the actors of a platform tell, where the log is to be JSON and there is a collector."""

import json
import time
from typing import Any
from uuid import UUID

import pytest
from clusters import Cluster
from otlp import Collector
from platforms import Platform
from target import Target


@pytest.fixture(scope="module")
def ran(cluster_platform: Platform, shared_target: Target) -> Any:
    """A test that has run in us-east-1."""
    script = f"export default function () {{ http.get('{shared_target.url}/health'); }}"
    return cluster_platform.log_in().run(script, name="Seen", region="us-east-1", duration=1)


def test_the_lines_of_a_run_are_objects_that_name_test_actor_and_region(
    cluster: Cluster, ran: Any
) -> None:
    test_id = ran["id"]
    lines = [line for line in _lines(cluster) if line.get("test") == test_id]
    by_actor: dict[str, list[str]] = {}
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(line)
        by_actor.setdefault(line["actor"], []).append(line["message"])
    states = [message for message in by_actor[f"test:{test_id}"] if " is " in message]
    assert [message.split(" is ")[1] for message in states] == [
        "ready",
        "pending",
        "running",
        "completed",
    ]
    assert "share 0 ran to its end" in by_actor[f"worker:{test_id}:0:0"]
    assert by_actor[f"metrics:{test_id}"]
    regions = {line["region"] for line in lines if line["actor"].startswith("worker:")}
    assert regions == {"us-east-1"}


def test_a_collector_of_opentelemetry_is_told_of_a_run(collector: Collector, ran: Any) -> None:
    trace = UUID(ran["id"]).bytes
    deadline = time.monotonic() + 60
    while not (spans := collector.spans(trace)):
        assert time.monotonic() < deadline, "there is no trace"
        time.sleep(0.1)
    assert {"test Seen", "provisioning", "running"} <= {span.name for span in spans}
    requests = [
        value
        for tags, value in collector.values("fusillade_run_requests")
        if tags == {"test": ran["id"], "region": "us-east-1"}
    ]
    assert requests[-1] == ran["summary"]["total_requests"]


def _lines(cluster: Cluster) -> list[dict[str, Any]]:
    """What is JSON of what all processes of the cluster's Ray have written."""
    found = []
    for file in cluster.directory.glob("session_*/logs/worker-*.err"):
        if not file.parents[1].is_symlink():
            for text in file.read_text(errors="replace").splitlines():
                if text.startswith("{"):
                    found.append(json.loads(text))
    return found
