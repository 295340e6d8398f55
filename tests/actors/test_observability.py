"""The documentation of metrics, the dashboard and the alerts speak of what there is."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from collectors import FILES, PROMTOOL, needs_prometheus

from fusillade.metrics.catalogue import CATALOGUE
from fusillade.metrics.run_gauges import MOST_VALUES

_DASHBOARD = (FILES / "fusillade_grafana_dashboard.json").read_text()
_PAGE = (FILES.parent / "observability.md").read_text()
_NAMES = {f"ray_{metric.name}" for metric in CATALOGUE}


def names_in(text: str) -> set[str]:
    return set(re.findall(r"ray_fusillade_\w+", text))


def test_the_documentation_lists_all_metrics_with_their_tags() -> None:
    rows = re.findall(r"^\| `(ray_\w+)` \| (.*?) \| (.+) \|$", _PAGE, re.MULTILINE)
    assert rows == [
        (f"ray_{one.name}", ", ".join(f"`{tag}`" for tag in one.tags), one.description)
        for one in CATALOGUE
    ]


def test_the_documentation_says_how_many_series_a_test_has_at_most() -> None:
    values = {"region": MOST_VALUES + 1, "scenario": MOST_VALUES + 1, "quantile": 3}
    total = 0
    for metric in CATALOGUE:
        if "test" in metric.tags:
            series = 1
            for tag in metric.tags:
                series *= values.get(tag, 1)
            total += series
    assert f"at most {total} series" in _PAGE


def test_the_dashboard_shows_all_metrics_and_no_others() -> None:
    assert names_in(_DASHBOARD) == _NAMES


def test_the_dashboard_is_one_that_ray_provisions() -> None:
    dashboard = json.loads(_DASHBOARD)
    (source,) = [one for one in dashboard["templating"]["list"] if one["type"] == "datasource"]
    # As in the dashboards that Ray writes: their data source is whatever this variable names.
    assert (source["name"], source["query"]) == ("datasource", "prometheus")
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert {panel["datasource"] for panel in panels} == {"${datasource}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@needs_prometheus
def test_prometheus_accepts_the_configuration_with_its_alerts() -> None:
    checked = promtool("check", "config", str(FILES / "prometheus.yml"))
    assert "SUCCESS: 7 rules found" in checked


@needs_prometheus
@pytest.mark.parametrize(
    ("series", "values", "alerts"),
    [
        (
            'ray_fusillade_run_saturated_worker_actors{test="a"}',
            "0 0 0 1+0x60",
            ["GeneratorSaturated"],
        ),
        ('ray_fusillade_tests_ended{status="failed"}', "0+0x10 1+0x60", ["TestsFail"]),
        ('ray_fusillade_tests_ended{status="completed"}', "0+0x10 1+0x60", []),
        ("ray_fusillade_webhook_oldest_waiting_seconds", "70+0x60", ["WebhooksLate"]),
        ("ray_fusillade_webhook_backlog", "1001+0x120", ["WebhookBacklog", "SchedulerSilent"]),
        ("ray_fusillade_scheduler_lag_seconds", "31+0x60", ["SchedulerLate", "WebhooksSilent"]),
        ("ray_fusillade_scheduler_lag_seconds", "0+0x60", ["WebhooksSilent"]),
    ],
)
def test_alerts_fire_for_what_they_are_for(
    series: str, values: str, alerts: list[str], tmp_path: Path
) -> None:
    names = re.findall(r"alert: Fusillade(\w+)", (FILES / "alerts.yml").read_text())
    silent = {"SchedulerSilent", "WebhooksSilent"}
    if not silent & set(alerts):
        names = [name for name in names if name not in silent]
    cases = [
        {
            "interval": "10s",
            "input_series": [{"series": series, "values": values}],
            "alert_rule_test": [],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="Fusillade{name}", alertstate="firing"}}) > 0',
                    "eval_time": "11m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if name in alerts else [],
                }
                for name in names
            ],
        }
    ]
    file = tmp_path / "alerts_test.json"  # JSON is YAML
    file.write_text(
        json.dumps(
            {
                "rule_files": [str(FILES / "alerts.yml")],
                "evaluation_interval": "10s",
                "tests": cases,
            }
        )
    )
    promtool("test", "rules", str(file))


def promtool(*arguments: str) -> str:
    assert PROMTOOL is not None
    ran = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
