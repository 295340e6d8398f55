"""Many hosts' deltas become one result; each counts once."""

import random

import msgspec
import numpy as np
import pytest

from fusillade.metrics import table
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS


def row(**values: float) -> np.ndarray:
    return np.array([[values.get(name, 0.0) for name in REQUEST_COLUMNS]])


def delta(number: int, second: int, requests: int, *, status: int = 200) -> bytes:
    recorder = Recorder()
    recorder.define_series(
        0, {"name": "GET /", "method": "GET", "scenario": "default", "group": ""}
    )
    for _ in range(requests):
        recorder.record_requests(
            row(series=0, status=status, duration=5.0, bytes_sent=10, reused=1)
        )
    recorder.add("iterations", requests)
    recorder.add_check("ok", requests, 0, {"group": ""})
    recorder.set_active_workers({"default": 3})
    return recorder.take_delta(number, second, 1.0)


def test_a_delta_that_comes_twice_counts_once() -> None:
    aggregate = Aggregate()
    payload = delta(1, 0, 5)
    assert [aggregate.merge(0, payload) for _ in range(3)] == [1, 1, 1]
    assert aggregate.summary().total_requests == 5


def test_the_order_of_arrival_does_not_matter() -> None:
    payloads = [(source, delta(n, n - 1, n)) for source in range(3) for n in range(1, 6)]
    shuffled = payloads * 2
    random.shuffle(shuffled)
    aggregate = Aggregate()
    for source, payload in shuffled:
        aggregate.merge(source, payload)
    summary = aggregate.summary()
    assert summary.total_requests == summary.iterations == 45
    assert [check.passes for check in summary.checks] == [45]
    assert [point["requests"] for point in aggregate.series_points()] == [3, 6, 9, 12, 15]
    assert [aggregate.acknowledged(source) for source in range(3)] == [5, 5, 5]


def test_seconds_of_which_nobody_has_told_are_in_the_series_as_such() -> None:
    aggregate = Aggregate()
    aggregate.merge(0, delta(1, 0, 5))
    aggregate.merge(0, delta(2, 3, 7))
    points = aggregate.series_points()
    assert [point["second"] for point in points] == [0, 1, 2, 3]
    assert [point["requests"] for point in points] == [5, 0, 0, 7]
    assert [point["active_workers"] for point in points] == [3, 0, 0, 3]
    assert aggregate.series_points(after=1) == points[2:]


def test_what_is_acknowledged_has_no_gaps() -> None:
    aggregate = Aggregate()
    assert aggregate.merge(0, delta(1, 0, 1)) == 1
    assert aggregate.merge(0, delta(3, 2, 1)) == 1
    assert aggregate.merge(0, delta(2, 1, 1)) == 3


def test_a_second_is_complete_when_all_hosts_have_told_of_it() -> None:
    aggregate = Aggregate()
    aggregate.merge(0, delta(1, 0, 1))
    assert aggregate.complete_second(2) == -1
    aggregate.merge(1, delta(1, 0, 1))
    assert aggregate.complete_second(2) == 0
    message = aggregate.metric_message("t", 0)
    assert (message["rps"], message["active_workers"], message["total_requests"]) == (2, 6, 2)
    assert message["checks"] == {"passes": 2, "fails": 0}


def test_failed_is_status_0_or_400_and_above() -> None:
    aggregate = Aggregate()
    for number, status in enumerate((200, 302, 399, 400, 500, 0), start=1):
        aggregate.merge(0, delta(number, 0, 1, status=status))
    summary = aggregate.summary()
    assert (summary.total_requests, summary.failed_requests, summary.error_rate) == (6, 3, 0.5)


def test_a_delta_does_not_grow_with_the_request_rate() -> None:
    assert len(delta(1, 0, 10_000)) < len(delta(1, 0, 10)) + 50


def test_a_summary_survives_json() -> None:
    aggregate = Aggregate()
    aggregate.merge(0, delta(1, 0, 5))
    text = msgspec.json.encode(aggregate.summary())
    assert msgspec.json.decode(text)["total_requests"] == 5


def test_long_settled_seconds_keep_their_percentiles_and_go_on_counting() -> None:
    aggregate = Aggregate()
    for second in range(20):
        aggregate.merge(0, delta(second + 1, second, 5))
    before = aggregate.series_points()
    aggregate.settle(1)
    assert aggregate.series_points() == before
    aggregate.merge(1, delta(1, 0, 2))
    first, *others = aggregate.series_points()
    assert (first["requests"], first["p95_latency_ms"]) == (7, before[0]["p95_latency_ms"])
    assert others == before[1:]
    assert aggregate.summary().total_requests == 102


@pytest.mark.parametrize(
    "damage",
    [
        lambda fields: [*fields[:5], []],
        lambda fields: [*fields[:4], [fields[4][0] * 2, *fields[4][1:]], *fields[5:]],
        lambda fields: [*fields[:4], [*fields[4][:2], b"", *fields[4][3:]], *fields[5:]],
        lambda fields: [*fields[:4], [*fields[4][:3], [[9, 200, 1]], []], *fields[5:]],
        lambda fields: [*fields[:4], [fields[4][0], [b"x", *fields[4][1][1:]]], *fields[5:]],
        lambda fields: [
            *fields[:4],
            [fields[4][0], [*fields[4][1][:1], b"\xff\xff", *fields[4][1][2:]], *fields[4][2:]],
            *fields[5:],
        ],
    ],
)
def test_what_is_no_delta_is_refused(damage: object) -> None:
    fields = damage(msgspec.msgpack.decode(delta(1, 0, 5)))  # type: ignore[operator]
    with pytest.raises(msgspec.MsgspecError):
        Aggregate().merge(0, msgspec.msgpack.encode(fields))


def test_series_beyond_the_limit_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 10)
    recorder = Recorder()
    for number in range(30):
        recorder.define_series(number, {"name": f"GET /{number}", "method": "GET"})
        recorder.record_requests(row(series=number, status=200, duration=5.0))
        recorder.record_values("size", "histogram", np.array([1.0]), {"user": str(number)})
    aggregate = Aggregate()
    aggregate.merge(0, recorder.take_delta(1, 0, 1.0))
    summary = aggregate.summary()
    assert summary.total_requests == sum(one.count for one in summary.endpoints) == 30
    assert [one.count for one in summary.endpoints if one.name == "other"] == [20]
    assert msgspec.to_builtins(summary.metrics["size"])["count"] == 30


def test_results_come_by_region_and_sum_to_the_whole() -> None:
    aggregate = Aggregate(regions=["eu-hel1", "us-east-1", "eu-hel1"])
    for second, source, requests, status in [
        (0, 0, 5, 200),
        (0, 1, 3, 500),
        (0, 2, 7, 200),
        (1, 0, 2, 200),
        (1, 4, 4, 200),  # who took over from host 1
    ]:
        number = 1 if source == 4 else second + 1
        aggregate.merge(source, delta(number, second, requests, status=status))
    found = {one.region: one for one in aggregate.summary().by_region}
    assert {name: (one.requests, one.errors) for name, one in found.items()} == {
        "eu-hel1": (14, 0),
        "us-east-1": (7, 3),
    }
    assert found["us-east-1"].error_rate == pytest.approx(3 / 7, abs=1e-6)
    assert (found["eu-hel1"].rps, found["us-east-1"].rps) == (7.0, 3.5)
    assert found["eu-hel1"].p99 == pytest.approx(5.0, rel=0.02)
    aggregate.settle(3)
    live = aggregate.metric_message("t", 1)["by_region"]
    assert [(one["region"], one["rps"], one["total_requests"], one["errors"]) for one in live] == [
        ("eu-hel1", 2, 14, 0),
        ("us-east-1", 4, 7, 3),
    ]
    points = aggregate.series_points()
    assert [
        [(one["region"], one["requests"], one["active_workers"]) for one in point["by_region"]]
        for point in points
    ] == [[("eu-hel1", 12, 6), ("us-east-1", 3, 3)], [("eu-hel1", 2, 3), ("us-east-1", 4, 3)]]


def test_one_region_has_all_results() -> None:
    aggregate = Aggregate(regions=["eu-hel1", "eu-hel1"])
    aggregate.merge(0, delta(1, 0, 5))
    aggregate.merge(1, delta(1, 0, 3, status=500))
    (one,) = aggregate.summary().by_region
    assert (one.region, one.requests, one.errors) == ("eu-hel1", 8, 3)
    message = aggregate.metric_message("t", 0)
    (live,) = message["by_region"]
    assert live["region"] == "eu-hel1"
    assert all(live[name] == message[name] for name in live if name != "region")
    assert "by_region" not in aggregate.series_points()[0]
    assert Aggregate().summary().by_region == []
