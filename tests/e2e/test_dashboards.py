"""What Prometheus collects of a whole platform, and what the dashboard makes of it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from client import Client
from collectors import FILES, needs_prometheus, running_prometheus
from platforms import Platform
from target import Target

_DASHBOARD = json.loads((FILES / "fusillade_grafana_dashboard.json").read_text())
EXPRESSIONS = [
    target["expr"] for panel in _DASHBOARD["panels"] for target in panel.get("targets", [])
]


@needs_prometheus
def test_each_panel_shows_something_of_a_run_whose_series_go_away_after_it(
    platform: Platform, user: Client, target: Target, tmp_path: Path
) -> None:
    script = f"export default function () {{ http.get('{target.url}/health'); sleep(0.1); }}"
    targets = platform.data_dir / "prometheus_targets.json"
    with running_prometheus(tmp_path, targets) as prometheus:
        began = time.time()
        test = user.run(script, name="Shown", workers=2, duration=12)
        mine = f'{{test="{test["id"]}"}}'
        expressions = [one.replace('{test=~"$test"}', mine) for one in EXPRESSIONS]
        for one in expressions:
            _until(lambda one=one: prometheus.query_since(one, began), one)
        (info,) = prometheus.query_since(f"ray_fusillade_run_info{mine}", began)
        assert info["metric"]["name"] == "Shown"
        (requests,) = prometheus.query_since(f"ray_fusillade_run_requests{mine}", began)
        assert requests["metric"]["region"] == "eu-hel1"
        assert 0 < float(requests["values"][-1][1]) <= test["summary"]["total_requests"]
        (scenario,) = prometheus.query_since(f"ray_fusillade_scenario_requests{mine}", began)
        assert scenario["metric"]["scenario"] == "default"
        ended = 'ray_fusillade_tests_ended{status="completed"}'
        _until(lambda: any(float(one["value"][1]) >= 1 for one in prometheus.query(ended)), ended)
        of_it = f'{{__name__=~"ray_fusillade_.*", {mine[1:]}'
        _until(lambda: not prometheus.query(of_it), of_it)


def _until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
