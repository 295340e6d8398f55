"""Tests in several regions, on a cluster whose nodes are labelled with them."""

import os
import subprocess
import time
from collections import Counter

from client import Client
from clusters import CPUS, Cluster
from platforms import FUSILLADE, WORKERS_PER_ACTOR, Platform
from target import Target

REGIONS = "eu-hel1:60,us-east-1:40"


def test_a_test_in_two_regions_splits_its_load_by_their_weights(
    cluster: Cluster, cluster_platform: Platform, target: Target
) -> None:
    user: Client = cluster_platform.log_in()
    script = f"""
      export const options = {{ scenarios: {{ all: {{ executor: 'shared-iterations', vus: 50,
        iterations: 1000 }} }} }};
      export default function () {{
        http.get(`{target.url}/${{__WORKER_ID}}`, {{ name: 'page' }}); }}"""
    created = user.create(script, workers=50, duration=30, region=REGIONS)
    test_id = str(created["test_id"])
    workers = user.get(f"/api/v1/tests/{test_id}/workers")["workers"]
    assert [(one["region"], one["workers"]) for one in workers] == [
        ("eu-hel1", 15),
        ("eu-hel1", 15),
        ("us-east-1", 20),
    ]
    assert len({one["node"] for one in workers}) == 3
    user.post(f"/api/v1/tests/{test_id}/start")
    test = user.until(test_id, "completed", "failed")
    assert (test["status"], test["reason"]) == ("completed", None)
    counted = target.counted()
    assert counted["requests"] == test["summary"]["total_requests"] == 1000
    by_region: Counter[str] = Counter()
    for path, count in counted.items():
        if path.startswith("GET /"):
            by_region["eu-hel1" if int(path[5:]) <= 30 else "us-east-1"] += count
    assert by_region == {"eu-hel1": 600, "us-east-1": 400}
    assert [
        (one["region"], one["requests"], one["errors"]) for one in test["summary"]["by_region"]
    ] == [
        ("eu-hel1", 600, 0),
        ("us-east-1", 400, 0),
    ]
    parts = [part for point in test["series"] for part in point["by_region"]]
    assert sum(part["requests"] for part in parts if part["region"] == "us-east-1") == 400


def test_the_regions_tell_what_there_is_of_them(
    cluster: Cluster, cluster_platform: Platform
) -> None:
    user = cluster_platform.log_in()
    names = ("nodes", "nodes_starting", "cpus", "cpus_free")
    before = {one["code"]: one for one in user.get("/api/v1/regions")["regions"]}
    nodes = {code: len(cluster.of(code)) for code in before}
    assert {code: one["nodes"] for code, one in before.items()} == nodes
    assert {code: one["cpus"] for code, one in before.items()} == {
        code: count * CPUS for code, count in nodes.items()
    }
    assert [before["ap-sin1"][name] for name in names] == [0, 0, 0, 0]
    test_id = user.create("export default () => {};", region="us-east-1")["test_id"]
    deadline = time.monotonic() + 30
    while (free := _cpus_free(user)) != CPUS - 1:
        assert time.monotonic() < deadline, free
        time.sleep(0.2)
    user.post(f"/api/v1/tests/{test_id}/stop")


def _cpus_free(user: Client) -> float:
    shown = {one["code"]: one for one in user.get("/api/v1/regions")["regions"]}
    return float(shown["us-east-1"]["cpus_free"])


def test_a_test_for_which_no_machine_will_come_fails_soon_and_says_why(
    cluster: Cluster, cluster_platform: Platform
) -> None:
    user = cluster_platform.log_in()
    nowhere = user.create("export default () => {};", "", region="us-east-1:1,ap-sin1:1", workers=2)
    large = user.create(
        "export default () => {};", "", region="us-east-1", workers=3 * WORKERS_PER_ACTOR
    )
    failed = [user.until(one["test_id"], "failed", "ready") for one in (nowhere, large)]
    assert [test["status"] for test in failed] == ["failed", "failed"]
    assert failed[0]["reason"] == (
        "The region ap-sin1 has no machine, and none is started for it; there are machines in "
        "eu-hel1, us-east-1. That did not change within 5 s."
    )
    assert failed[1]["reason"] == (
        "The test needs 3 WorkerActors in the region us-east-1, which has 1 machine with room for "
        "2 in all, and no more are started for it. That did not change within 5 s."
    )


def test_down_stops_nothing_when_the_joined_ray_does_not_let_it_in(
    cluster_platform: Platform,
) -> None:
    strange = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "FUSILLADE_"))}
    refused = subprocess.run(
        [str(FUSILLADE), "down", f"--data-dir={cluster_platform.data_dir}"],
        env=strange | {"RAY_AUTH_TOKEN": "0" * 64, "RAY_NUM_REDIS_GET_RETRIES": "2"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert refused.returncode == 1
    assert "does not let us in" in refused.stderr.splitlines()[-1]
    assert cluster_platform.log_in().get("/health")["status"] == "ok"
