"""Shares that one host after the other runs: everything acknowledged counts, and counts once."""

import pickle

import numpy as np

from fusillade.engine.takeover import Takeover
from fusillade.metrics.intake import SUPERSEDED, Intake
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS
from fusillade.metrics.thresholds import parse_thresholds


def delta(number: int, second: int, requests: int) -> bytes:
    """A delta of so many requests."""
    recorder = Recorder()
    recorder.define_series(0, {"name": "GET /", "method": "GET", "scenario": "default"})
    row = np.zeros((requests, len(REQUEST_COLUMNS)))
    row[:, REQUEST_COLUMNS.index("status")] = 200
    recorder.record_requests(row)
    recorder.add_check("ok", requests, 0, {"group": ""})
    recorder.set_active_workers({"default": 3})
    return recorder.take_delta(number, second, 1.0)


def iterations(number: int, second: int, **ended: int) -> bytes:
    """A delta in which so many iterations of these scenarios ended."""
    recorder = Recorder()
    for scenario, count in ended.items():
        recorder.add("iterations", count, {"scenario": scenario, "mine": "tag"})
    return recorder.take_delta(number, second, 1.0)


def test_a_successor_counts_anew_and_its_predecessor_no_more() -> None:
    intake = Intake(["eu-hel1"] * 2)
    for number in (1, 2):
        assert intake.take(0, 0, delta(number, number - 1, 5))
        assert intake.take(1, 0, delta(number, number - 1, 5))
    intake.lose(1, 0, "abc")
    assert not intake.take(1, 0, delta(3, 2, 100))
    assert intake.acknowledged(1, 0) == SUPERSEDED
    assert intake.acknowledged(1, 1) == 0
    intake.resume(1, 1, 4.5)
    assert intake.take(1, 1, delta(1, 4, 7))
    assert not intake.take(1, 1, delta(1, 4, 7))
    assert intake.acknowledged(1, 1) == 1
    assert intake.aggregate.summary().total_requests == 4 * 5 + 7
    (loss,) = intake.losses
    assert (loss.share, loss.node, loss.from_seconds, loss.to_seconds) == (1, "abc", 2.0, 4.5)
    assert intake.warnings() == [
        "WorkerActor 2 of 2 on node abc was lost: its share of the load did not run from second "
        "2.0 to 4.5 (2.5 s)."
    ]


def test_a_generation_that_is_lost_before_it_began_lengthens_the_loss() -> None:
    intake = Intake(["eu-hel1"])
    intake.take(0, 0, delta(1, 0, 1))
    for generation in (0, 0, 1, 2, 1):
        intake.lose(0, generation, None)
    assert intake.present(0) == 3
    assert intake.warnings() == [
        "The WorkerActor was lost: its share of the load has not been running since second 1.0."
    ]
    intake.resume(0, 3, 5.0)
    intake.lose(0, 3, None)
    assert [(one.from_seconds, one.to_seconds) for one in intake.losses] == [
        (1.0, 5.0),
        (5.0, None),
    ]


def test_nobody_waits_for_the_seconds_of_a_generation_that_is_lost() -> None:
    intake = Intake(["eu-hel1"] * 2)
    for share in (0, 1):
        intake.take(share, 0, delta(1, 0, 1))
    intake.take(0, 0, delta(2, 1, 1))
    assert intake.aggregate.complete_second(2) == 0
    intake.lose(1, 0, None)
    intake.take(1, 1, delta(1, 1, 1))
    assert intake.aggregate.complete_second(2) == 1


def test_a_successor_knows_which_iterations_have_ended() -> None:
    intake = Intake(["eu-hel1"] * 2)
    intake.take(0, 0, iterations(1, 0, browse=3, buy=1))
    intake.take(0, 0, iterations(2, 1, browse=2))
    intake.take(1, 0, iterations(1, 0, browse=50))
    assert intake.lose(0, 0, None) == Takeover(1, {"browse": 5, "buy": 1})
    intake.take(0, 1, iterations(1, 2, buy=4))
    assert intake.lose(0, 1, None) == Takeover(2, {"browse": 5, "buy": 5})
    assert intake.takeover(1) == Takeover(0, {})


def test_it_goes_on_from_a_copy_that_was_pickled() -> None:
    intake = Intake(
        ["eu-hel1"], parse_thresholds({"http_reqs": ["count > 5"], "vus": ["value < 9"]})
    )
    intake.take(0, 0, delta(1, 0, 5))
    intake.lose(0, 0, None)
    copy = pickle.loads(pickle.dumps(intake))
    for one in (intake, copy):
        one.take(0, 1, delta(1, 1, 2))
    assert copy.aggregate.summary() == intake.aggregate.summary()
    assert copy.aggregate.series_points() == intake.aggregate.series_points()
    assert copy.losses == intake.losses
