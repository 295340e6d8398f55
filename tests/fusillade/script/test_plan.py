"""From options to load models."""

import pytest

from fusillade.durations import parse_duration
from fusillade.hosting.messages import Overrides, Problem
from fusillade.script.option_places import OptionPlaces
from fusillade.script.plan import Plan, make_plan

PLACES = OptionPlaces("script.js")


def plan(options: object, *exports: str, **overrides: float) -> Plan:
    made = make_plan(options, list(exports or ("default",)), Overrides(**overrides), PLACES)  # type: ignore[arg-type]
    assert isinstance(made, Plan), made
    return made


def problems(options: object, *exports: str) -> list[Problem]:
    made = make_plan(options, list(exports or ("default",)), Overrides(), PLACES)
    assert isinstance(made, list), made
    return made


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1.5m", 90),
        ("500ms", 0.5),
        ("2h", 7200),
        ("1m30s", 90),
        (1500, 1.5),
        ("250", 0.25),
        ("30", 0.03),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1s ago", True, None, -5, [], float("nan")])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|negative"):
        parse_duration(text)


def test_without_options_one_worker_runs_for_the_calls_duration() -> None:
    made = plan({}, workers=5, duration_seconds=7)
    assert (made.max_workers, made.duration_seconds) == (5, 7)
    assert made.scenarios[0].executor.workers_at(6.9) == 5


def test_stages_keep_their_shape_when_the_call_gives_the_size() -> None:
    stages = [{"duration": "10s", "target": 10}, {"duration": "10s", "target": 0}]
    made = plan({"stages": stages}, workers=100, duration_seconds=40)
    executor = made.scenarios[0].executor
    assert made.duration_seconds == 40
    assert [executor.workers_at(t) for t in (0, 10, 20, 30)] == [0, 50, 100, 50]


def test_scenarios_share_the_calls_workers_in_their_own_ratio() -> None:
    made = plan(
        {
            "scenarios": {
                "a": {"executor": "constant-vus", "vus": 1, "duration": "10s"},
                "b": {
                    "executor": "constant-workers",
                    "workers": 3,
                    "duration": "5s",
                    "startTime": "5s",
                    "exec": "other",
                },
            }
        },
        "default",
        "other",
        workers=40,
        duration_seconds=20,
    )
    assert [(s.name, s.executor.max_workers, s.start_seconds) for s in made.scenarios] == [
        ("a", 10, 0),
        ("b", 30, 10),
    ]
    assert [s.first_worker_id for s in made.scenarios] == [1, 11]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": "ten"}, "options.workers: must be a whole number, but is 'ten'"),
        ({"vus": 0}, "options.vus: must be at least 1"),
        ({"duration": "soon"}, "options.duration: 'soon' is not a duration"),
        ({"stages": 5}, "options.stages: must be an array"),
        ({"stages": [{"target": 5}]}, "options.stages[0].duration: is missing"),
        ({"executor": "fast"}, "options.executor: there is no executor 'fast'"),
        ({"scenarios": {"a": {"exec": "nobody"}}}, "options.scenarios.a.exec: the script does not"),
        ([], "options: must be an object"),
    ],
)
def test_a_wrong_option_is_named_by_its_path(options: object, words: str) -> None:
    (problem,) = problems(options)
    assert words in problem.message


def test_an_unknown_option_is_a_warning_with_a_hint() -> None:
    (warning,) = plan({"worker": 5}).warnings
    assert "options.worker" in warning.message
    assert "'workers'" in warning.message
    assert warning.severity == "warning"


def test_a_script_without_a_default_export_says_so() -> None:
    (problem,) = problems({}, "setup")
    assert "no default export" in problem.message
