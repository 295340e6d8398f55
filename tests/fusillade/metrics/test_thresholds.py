"""Thresholds: how they are written, and what they look at."""

import numpy as np
import pytest

from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS
from fusillade.metrics.thresholds import parse_thresholds


def aggregate(thresholds: dict[str, object], *, abort: bool = False) -> Aggregate:
    """Two endpoints: /fast with 90 requests of 10 ms, /slow with 10 failed ones of 500 ms."""
    recorder = Recorder()
    for number, (name, count, duration, status) in enumerate(
        [("fast", 90, 10.0, 200), ("slow", 10, 500.0, 500)]
    ):
        tags = {"name": name, "method": "GET", "scenario": "main", "group": "", "team": "a"}
        recorder.define_series(number, tags)
        values = {"series": number, "status": status, "duration": duration, "bytes_sent": 100}
        rows = np.array([[values.get(column, 0.0) for column in REQUEST_COLUMNS]] * count)
        recorder.record_requests(rows)
    recorder.add_check("ok", 3, 1, {"group": "", "scenario": "main"})
    recorder.add("iterations", 50, {"scenario": "main"})
    recorder.add("bought", 7, {"shop": "x"})
    recorder.record_values("age", "gauge", np.array([1.0, 5.0, 3.0]), {})
    recorder.record_values("good", "rate", np.array([1.0, 0.0, 1.0, 1.0]), {})
    made = Aggregate(parse_thresholds(thresholds, abort=abort))
    made.merge(0, recorder.take_delta(1, 0, 1.0))
    return made


@pytest.mark.parametrize(
    ("metric", "expression", "value", "ok"),
    [
        ("http_req_duration", "p95 < 520", 500, True),
        ("http_req_duration", "p(50)<=11", 10, True),
        ("http_req_duration", "med > 20", 10, False),
        ("http_req_duration", "avg<59.5", 59, True),
        ("http_req_duration", "max<499", 500, False),
        ("http_req_duration", "min >= 10", 10, True),
        ("http_req_duration", "count == 100", 100, True),
        ("http_req_duration{name:fast}", "p99.9 < 11", 10, True),
        ("http_req_duration{name:slow, team:a}", "p99 < 11", 500, False),
        ("http_req_duration{name:none}", "p99 < 11", None, True),
        ("http_req_failed", "rate < 0.05", 0.1, False),
        ("http_req_failed{name:fast}", "rate < 0.05", 0, True),
        ("http_reqs", "count > 99", 100, True),
        ("http_reqs{name:slow}", "rate >= 10", 10, True),
        ("data_sent", "count < 5000", 10_000, False),
        ("checks", "rate > 0.9", 0.75, False),
        ("checks{check:ok}", "rate > 0.7", 0.75, True),
        ("iterations", "rate > 49", 50, True),
        ("bought{shop:x}", "count === 7", 7, True),
        ("bought{shop:y}", "count > 0", 0, False),
        ("age", "value < 4", 3, True),
        ("age", "max < 4", 5, False),
        ("good", "rate != 0.75", 0.75, False),
    ],
)
def test_a_threshold_looks_at_its_metric(
    metric: str, expression: str, value: float | None, ok: bool
) -> None:
    (result,) = aggregate({metric: [expression]}).summary().thresholds
    assert (result.metric, result.expression, result.ok) == (metric, expression, ok)
    assert result.value == (None if value is None else pytest.approx(value, rel=0.01))


@pytest.mark.parametrize(
    ("metric", "expression", "words"),
    [
        ("http_req_duration", "p95 under 500", "is not a threshold"),
        ("http_req_duration", "p101 < 5", "between 0 and 100"),
        ("http_req_duration", 5, "must be a text"),
        ("http req", "p95 < 5", "is not a metric"),
        ("m{name}", "p95 < 5", "name:value"),
        ("m", {"threshold": "p95 < 5", "delayAbortEval": "soon"}, "not a duration"),
    ],
)
def test_a_wrong_threshold_says_what_would_be_right(
    metric: str, expression: object, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        parse_thresholds({metric: [expression]})


def test_a_test_is_aborted_for_a_crossed_threshold_that_asks_for_it() -> None:
    crossed = {"threshold": "max < 100", "abortOnFail": True, "delayAbortEval": "5s"}
    made = aggregate({"http_req_duration": ["avg < 1", crossed]})
    assert made.reason_to_abort(4) is None
    reason = made.reason_to_abort(5)
    assert reason == "The threshold http_req_duration: max < 100 was crossed (max was 500)."
    assert aggregate({"http_req_duration": ["avg < 100"]}, abort=True).reason_to_abort(9) is None
    assert aggregate({"http_req_duration": ["avg < 1"]}, abort=True).reason_to_abort(0)


def test_what_is_crossed_before_the_end_leaves_out_what_only_the_end_can_tell() -> None:
    conditions = {
        "http_req_duration": [
            "avg < 50",
            "avg < 60",
            {"threshold": "med > 20", "delayAbortEval": "9s"},
        ],
        "http_reqs": ["count > 1000", "count < 50"],
        "bought": ["count == 8"],
    }
    made = aggregate(conditions)
    assert [one.expression for one in made.crossed(1.0)] == ["avg < 50", "count < 50"]
    assert [one.expression for one in made.crossed(9.0)] == ["avg < 50", "med > 20", "count < 50"]
