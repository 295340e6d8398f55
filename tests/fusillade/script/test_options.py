"""Options: every spelling, every kind of mistake, and where it stands in the author's file."""

import json
import subprocess
from typing import Any

import pytest
from platforms import FUSILLADE

from fusillade.hosting.messages import Overrides, Problem
from fusillade.script.compiler import compile_script
from fusillade.script.option_places import OptionPlaces
from fusillade.script.option_schema import options_schema
from fusillade.script.options import longest_grace, thresholds_of
from fusillade.script.plan import Plan, make_plan

PLACES = OptionPlaces("script.js")


def made(options: object, places: OptionPlaces = PLACES) -> Plan | list[Problem]:
    return make_plan(options, ["default", "other"], Overrides(), places)


def plan(options: object) -> Plan:
    found = made(options)
    assert isinstance(found, Plan), found
    return found


def position(source: str, options: object, **files: str) -> tuple[str, int, int]:
    """Where the one problem or warning of these options is said to be."""
    content = {"script.js": source.encode()}
    content |= {f"{name}.js": text.encode() for name, text in files.items()}
    found = made(options, compile_script(content, "script.js").options)
    (problem,) = found.warnings if isinstance(found, Plan) else found
    return problem.file, problem.line, problem.column


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 1.5}, "options.workers: must be a whole number, but is 1.5"),
        ({"workers": True}, "options.workers: must be a whole number, but is true"),
        ({"rate": 0}, "options.rate: must be more than 0, but is 0"),
        ({"rate": "5"}, "options.rate: must be a number, but is '5'"),
        ({"timeUnit": 0, "rate": 1}, "options.timeUnit: must be more than 0"),
        ({"drop": 1.5}, "options.drop: must be at most 1, but is 1.5"),
        ({"jitter": "-1s"}, "options.jitter: '-1s' is not a duration"),
        ({"warmup": "localhost"}, "options.warmup: must be a URL that begins with http"),
        ({"insecure": "yes"}, "options.insecure: must be true or false, but is 'yes'"),
        ({"noEndpointTracking": 1}, "options.noEndpointTracking: must be true or false"),
        ({"userAgent": 5}, "options.userAgent: must be a text, but is 5"),
        ({"userAgent": "a\r\nb: c"}, "options.userAgent: must not contain line ends"),
        ({"scenarios": []}, "options.scenarios: must be an object"),
        ({"scenarios": {"a": {"env": 5}}}, "options.scenarios.a.env: must be an object"),
        ({"scenarios": {"a": {"tags": {"t": {}}}}}, "options.scenarios.a.tags.t: must be a text"),
        ({"executor": "ramping-vus"}, "options: the executor 'ramping-workers' needs stages"),
        ({"executor": "constant-arrival-rate"}, "options: the executor 'constant-arrival-rate'"),
        ({"thresholds": {"checks": ["often"]}}, "options.thresholds: 'checks': 'often' is not a"),
        ({"criteria": {"checks": [5]}}, "options.criteria: 'checks': a threshold must be a text"),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_would_be_right(options: Any, words: str) -> None:
    found = made(options)
    assert isinstance(found, list)
    assert found[0].message.startswith(words)


SAME = {
    "workers": ["workers", "vus"],
    "stages": ["stages", "schedule"],
    "time_unit": ["time_unit", "timeUnit"],
    "stop": ["stop", "gracefulStop", "graceful_stop"],
    "min_iteration_duration": ["min_iteration_duration", "minIterationDuration"],
    "setup_timeout": ["setup_timeout", "setupTimeout"],
    "teardown_timeout": ["teardown_timeout", "teardownTimeout"],
    "response_sink": ["response_sink", "responseSink", "discardResponseBodies"],
    "max_redirects": ["max_redirects", "maxRedirects"],
    "user_agent": ["user_agent", "userAgent"],
    "abort_on_fail": ["abort_on_fail", "abortOnFail"],
    "no_endpoint_tracking": ["no_endpoint_tracking", "noEndpointTracking"],
    "insecure": ["insecure", "insecureSkipTLSVerify"],
    "max_workers": ["max_workers", "maxWorkers", "maxVUs"],
    "no_connection_reuse": ["no_connection_reuse", "noConnectionReuse"],
    "no_vu_connection_reuse": ["no_vu_connection_reuse", "noVUConnectionReuse"],
}
VALUES: dict[str, Any] = {
    "workers": 3,
    "stages": [{"duration": "1s", "target": 2}],
    "time_unit": "2s",
    "stop": "3s",
    "min_iteration_duration": "4s",
    "setup_timeout": "10s",
    "teardown_timeout": 5000,
    "max_redirects": 5,
    "user_agent": "me",
    "max_workers": 6,
}


@pytest.mark.parametrize("name", SAME)
def test_all_spellings_of_an_option_mean_the_same(name: str) -> None:
    value = VALUES.get(name, True)
    plans = [plan({spelling: value}) for spelling in SAME[name]]
    assert all(one == plans[0] for one in plans)
    assert plans[0].options[name] != plan({}).options.get(name)
    assert plans[0].warnings == []


def test_the_options_of_memory_are_accepted_and_do_nothing() -> None:
    assert plan({"stack_size": "64mb", "heapSize": 5, "memory_safe": True}).warnings == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"wokers": 1},
            "options.wokers is not an option and has no effect; did you mean 'workers'?",
        ),
        ({"vus": 1, "workers": 2}, "options.vus says again what another name"),
        (
            {"scenarios": {"a": {"schedule": [{"duration": 1, "target": 1, "targets": 2}]}}},
            "options.scenarios.a.schedule[0].targets is not an option",
        ),
        (
            {"scenarios": {"a": {"criteria": {"http_req_waiting{name:x}": "p95 < 5"}}}},
            "options.scenarios.a.criteria.http_req_waiting{name:x} finds nothing",
        ),
    ],
)
def test_what_has_no_effect_is_a_warning(options: Any, words: str) -> None:
    (warning,) = plan(options).warnings
    assert warning.message.startswith(words)


def test_a_scenario_has_what_the_test_has_unless_it_says_otherwise() -> None:
    options = {
        "gracefulStop": "7s",
        "response_sink": True,
        "tags": {"team": "a", "build": 5},
        "env": {"HOST": "x", "PORT": 80},
        "scenarios": {
            "same": {},
            "own": {
                "stop": "1s",
                "response_sink": False,
                "tags": {"team": "b"},
                "env": {"HOST": "y"},
                "exec": "other",
            },
        },
    }
    made_plan = plan(options)
    same, own = made_plan.scenarios
    assert (same.grace_seconds, same.response_sink) == (7, True)
    assert (same.tags, same.env) == ({"team": "a", "build": "5"}, {"HOST": "x", "PORT": "80"})
    assert (own.grace_seconds, own.response_sink, own.exec) == (1, False, "other")
    assert (own.tags, own.env) == ({"team": "b", "build": "5"}, {"HOST": "y", "PORT": "80"})
    assert longest_grace(made_plan.options) == 7


@pytest.mark.parametrize("executor", ["constant-arrival-rate", "ramping-arrival-rate"])
def test_rates_are_counted_per_time_unit(executor: str) -> None:
    stages = [{"duration": 0, "target": 120}, {"duration": "10s", "target": 120}]
    shape = {"rate": 120, "duration": "10s"} if executor.startswith("c") else {"stages": stages}
    (scenario,) = plan({"executor": executor, "timeUnit": "1m", "workers": 5} | shape).scenarios
    assert scenario.executor.is_open
    assert scenario.executor.iterations_due(4.9) == pytest.approx(10.8)


def test_thresholds_of_scenarios_look_at_that_scenario() -> None:
    options = {
        "abortOnFail": True,
        "criteria": {"http_reqs": "count > 5"},
        "scenarios": {"a": {"thresholds": {"vus": ["max < 9"]}}},
    }
    whole, own = thresholds_of(plan(options).options)
    assert (whole.name, whole.tags, whole.abort) == ("http_reqs", {}, True)
    assert (own.name, own.tags, own.abort) == ("vus", {"scenario": "a"}, True)


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("export const options = {\n  workers: 'x',\n};", {"workers": "x"}, (2, 12)),
        ("export const options = {\n  wokers: 1 };", {"wokers": 1}, (2, 3)),
        (
            "const options = { scenarios: {\n 'a b': { stages: [{}, {\n target: 'x' }] } } };\n"
            "export { options };",
            {
                "scenarios": {
                    "a b": {
                        "stages": [{"duration": 1, "target": 1}, {"duration": 1, "target": "x"}]
                    }
                }
            },
            (3, 10),
        ),
        (
            "const stages = [\n  { target: 5 }];\nexport let options = { stages };",
            {"stages": [{"target": 5}]},
            (2, 3),
        ),
        (
            "const more = {\n duration: 'soon' };\nexport const options = { ...more };",
            {"duration": "soon"},
            (2, 12),
        ),
        ("\n\nexport const options = JSON.parse('{}');", {"workers": "x"}, (3, 24)),
        ("function f() { return {}; }\nexport const options = f();", [], (2, 24)),
        (
            "export const options = { thresholds: {\n  checks: ['rate > 0.9',\n    'often'] } };",
            {"thresholds": {"checks": ["rate > 0.9", "often"]}},
            (3, 5),
        ),
        (
            "export const options = { scenarios: { a: {\n  exec: 'nobody' } } };",
            {"scenarios": {"a": {"exec": "nobody"}}},
            (2, 9),
        ),
        (
            "export const options = { thresholds: {\n  'vus{team:a}': 'max < 5' } };",
            {"thresholds": {"vus{team:a}": "max < 5"}},
            (2, 3),
        ),
    ],
)
def test_a_mistake_is_shown_where_the_author_wrote_it(
    source: str, options: object, expected: tuple[int, int]
) -> None:
    assert position(source, options) == ("script.js", *expected)


def test_a_mistake_in_an_imported_module_is_shown_there() -> None:
    source = "import { load } from './load.js';\nexport const options = { ...load };"
    assert position(source, {"vus": 0}, load="export const load = {\n  vus: 0 };") == (
        "load.js",
        2,
        8,
    )


def test_options_that_refer_to_themselves_are_no_trouble() -> None:
    source = (
        "const a = { ...b, x: a }; const b = { ...a, ...a }; export const options = { ...a, ...b };"
    )
    assert position(source, {"vus": 0})[0] == "script.js"


def test_the_schema_has_each_option_with_description_and_default() -> None:
    answer = subprocess.run([FUSILLADE, "schema"], capture_output=True, check=True, timeout=60)
    schema = json.loads(answer.stdout)
    assert schema == options_schema()
    parts = [schema, *schema["$defs"].values()]
    assert all(
        option.get("description") for part in parts for option in part["properties"].values()
    )
    stop = schema["properties"]["stop"]
    assert stop["default"] == "30s"
    assert [kind["type"] for kind in stop["anyOf"]] == ["string", "number"]
    assert schema["properties"]["vus"]["description"] == "Another spelling of `workers`."
    assert schema["properties"]["vus"]["minimum"] == 1
    for name, spellings in SAME.items():
        assert name in schema["properties"]
        assert set(spellings) <= set(schema["properties"])
