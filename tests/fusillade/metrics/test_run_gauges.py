"""What dashboards are shown of a run."""

import numpy as np
import pytest

from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.catalogue import Metric
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS
from fusillade.metrics.run_gauges import MOST_VALUES, RunGauges
from fusillade.metrics.strain import Pressure

EASY = Pressure()


def delta(
    number: int,
    *scenarios: str,
    duration: float = 5.0,
    status: int = 200,
    pressure: Pressure = EASY,
) -> bytes:
    """Of second ``number - 1``: a request, an iteration and a worker for each scenario."""
    recorder = Recorder()
    for series, scenario in enumerate(scenarios):
        recorder.define_series(series, {"name": "GET /", "method": "GET", "scenario": scenario})
        request = {"series": series, "status": status, "duration": duration}
        recorder.record_requests(
            np.array([[float(request.get(column, 0.0)) for column in REQUEST_COLUMNS]])
        )
        recorder.add("iterations", 1, {"scenario": scenario})
        recorder.add("dropped_iterations", 2, {"scenario": scenario})
    recorder.set_active_workers(dict.fromkeys(scenarios, 1))
    recorder.set_pressure(pressure)
    return recorder.take_delta(number, number - 1, 1.0)


def read(gauges: RunGauges, aggregate: Aggregate, second: int) -> dict[str, dict[str, float]]:
    """By metric, without what all names begin with, and by the values of its other tags."""
    found: dict[str, dict[str, float]] = {}
    for sample in gauges.read(aggregate, second):
        assert set(sample.tags) == set(sample.metric.tags)
        assert sample.tags["test"] == "an-id"
        others = " ".join(v for tag, v in sample.tags.items() if tag != "test")
        found.setdefault(short(sample.metric), {})[others] = sample.value
    return found


def short(metric: Metric) -> str:
    return metric.name.removeprefix("fusillade_")


def test_a_run_is_shown_by_region_and_by_scenario() -> None:
    aggregate = Aggregate(regions=["eu-hel1", "us-east-1"])
    aggregate.merge(0, delta(1, "browse", "buy"))
    aggregate.merge(1, delta(1, "browse", duration=500, status=503))
    shown = read(RunGauges("an-id", "Shop"), aggregate, 0)
    assert shown["run_info"] == {"Shop": 1}
    assert shown["run_worker_actors"] == {"": 2}
    assert shown["run_requests"] == {"eu-hel1": 2, "us-east-1": 1}
    assert shown["run_failed_requests"] == {"eu-hel1": 0, "us-east-1": 1}
    assert shown["run_active_workers"] == {"eu-hel1": 2, "us-east-1": 1}
    assert shown["run_latency_seconds"]["eu-hel1 0.99"] == pytest.approx(0.005, rel=0.01)
    assert shown["run_latency_seconds"]["us-east-1 0.5"] == pytest.approx(0.5, rel=0.01)
    assert shown["scenario_requests"] == {"browse": 2, "buy": 1}
    assert shown["scenario_failed_requests"] == {"browse": 1, "buy": 0}
    assert shown["scenario_active_workers"] == {"browse": 2, "buy": 1}
    assert shown["scenario_iterations"] == {"browse": 2, "buy": 1}
    assert shown["scenario_dropped_iterations"] == {"browse": 4, "buy": 2}
    assert shown["scenario_latency_seconds"]["buy 0.95"] == pytest.approx(0.005, rel=0.01)


def test_latencies_are_those_of_the_last_seconds_and_none_where_there_were_no_requests() -> None:
    aggregate, gauges = Aggregate(regions=["eu-hel1"]), RunGauges("an-id", "Shop")
    aggregate.merge(0, delta(1, "browse", duration=5))
    read(gauges, aggregate, 0)
    aggregate.merge(0, delta(2, "browse", duration=50))
    read(gauges, aggregate, 5)
    aggregate.merge(0, delta(3, "browse", duration=500))
    shown = read(gauges, aggregate, 10)
    assert shown["run_latency_seconds"]["eu-hel1 0.5"] == pytest.approx(0.05, rel=0.01)
    assert shown["run_latency_seconds"]["eu-hel1 0.99"] == pytest.approx(0.5, rel=0.01)
    assert shown["run_requests"] == {"eu-hel1": 3}
    read(gauges, aggregate, 15)
    assert "run_latency_seconds" not in read(gauges, aggregate, 20)


def test_a_test_has_a_bounded_number_of_series_and_loses_no_request() -> None:
    aggregate, gauges = Aggregate(regions=["eu-hel1"]), RunGauges("an-id", "Shop" * 1000)
    names = [f"{number} {'long' * 1000}" for number in range(MOST_VALUES + 30)]
    aggregate.merge(0, delta(1, *names))
    shown = read(gauges, aggregate, 0)
    assert len(shown["scenario_requests"]) == MOST_VALUES + 1
    assert shown["scenario_requests"]["other"] == 30
    assert sum(shown["scenario_requests"].values()) == len(names)
    assert max(len(name) for name in (*shown["scenario_requests"], *shown["run_info"])) < 100


@pytest.mark.parametrize(("busy_until", "saturated"), [(3, 1), (2, 0)])
def test_saturation_is_that_of_the_last_seconds(busy_until: int, saturated: int) -> None:
    aggregate, gauges = Aggregate(regions=["eu-hel1"] * 2), RunGauges("an-id", "Shop")
    for number in range(1, 20):
        busy = Pressure(cpu_share=0.99) if number <= busy_until else EASY
        aggregate.merge(0, delta(number, "browse", pressure=busy))
        aggregate.merge(1, delta(number, "browse"))
    assert read(gauges, aggregate, 9)["run_saturated_worker_actors"] == {"": saturated}
    assert read(gauges, aggregate, 18)["run_saturated_worker_actors"] == {"": 0}
