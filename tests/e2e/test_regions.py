"""Tests in several regions, on a cluster whose nodes are labelled with them."""

from collections import Counter

from client import Client
from clusters import Cluster
from platforms import Platform
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
