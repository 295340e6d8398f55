"""What options do to a load."""

import pytest
from scripts import run
from target import Target

from fusillade.hosting.script_host import ScriptHost, ScriptRejected


async def test_a_mistake_in_the_options_is_shown_at_its_line() -> None:
    source = b"export const options = {\n  vus: 'ten',\n};\nexport default function () {}"
    async with ScriptHost() as host:
        with pytest.raises(ScriptRejected, match=r"script\.js:2:8: options\.vus: must be a whole"):
            await host.load({"script.js": source}, "script.js")


async def test_warmup_opens_a_connection_for_each_worker_and_is_not_measured(
    target: Target,
) -> None:
    script = f"""export const options = {{ warmup: '{target.url}/delay/50' }};
      export function setup() {{ http.get('{target.url}/setup'); }}
      export default function () {{ sleep(0.05); }}"""
    done = await run(script, workers=6, iterations=1)
    counted = target.counted()
    assert counted["GET /delay/50"] == 6
    # The one of setup() is used again; one more is that of counted() itself.
    assert counted["connections"] == 6 + 1
    assert (done.summary.total_requests, done.summary.new_connections) == (1, 1)
    assert [one.name for one in done.summary.endpoints] == [f"GET {target.url}/setup"]


async def test_after_warmup_the_load_opens_no_connection(target: Target) -> None:
    script = f"""export const options = {{ warmup: '{target.url}/delay/50' }};
      export default function () {{ http.get('{target.url}/delay/20'); }}"""
    done = await run(script, workers=5, iterations=3)
    assert target.counted()["connections"] == 5 + 1
    assert (done.summary.new_connections, done.summary.reused_connections) == (0, 15)


async def test_a_warmup_that_fails_is_a_warning() -> None:
    script = """export const options = { warmup: 'http://127.0.0.1:1/' };
      export default function () {}"""
    done = await run(script, workers=3, iterations=1)
    assert done.summary.iterations == 3
    assert done.log == [
        "warn: options.warmup: 3 of 3 requests for http://127.0.0.1:1/ failed (CONNECT)."
    ]


async def test_dropped_requests_fail_and_are_not_sent(target: Target) -> None:
    script = f"""export const options = {{ drop: 0.5, warmup: '{target.url}/warm' }};
      export default function () {{
        const list = http.batch(Array.from({{ length: 10 }}, () => '{target.url}/x'));
        list.push(http.get('{target.url}/x'));
        for (const r of list) check(r, {{ told: () => r.status === 200 || (r.status === 0
          && r.error === 'Simulated network drop' && r.body === null && r.timings.duration === 0) }});
      }}"""
    done = await run(script, workers=2, iterations=20)
    counted, summary = target.counted(), done.summary
    assert (summary.total_requests, summary.checks[0].fails) == (440, 0)
    assert 0 < summary.failed_requests < 440
    assert counted["GET /x"] + summary.failed_requests == 440
    assert counted["GET /warm"] == 2
    assert summary.errors == {"SIMULATED": summary.failed_requests}
    assert summary.new_connections + summary.reused_connections == counted["GET /x"]


async def test_jitter_delays_requests_outside_of_their_duration(target: Target) -> None:
    script = f"""export const options = {{ jitter: '400ms' }};
      export default function () {{
        const begun = Date.now();
        const results = http.batch(Array.from({{ length: 40 }}, () => '{target.url}/'));
        const half = (Date.now() - begun) / 2;
        check(results, {{ ok: (all) => all.every((r) => r.status === 200 && r.timings.blocked + r.timings.duration < half) }});
      }}"""
    done = await run(script, workers=1, iterations=1)
    assert done.summary.checks[0].passes == 1
    # The longest of 40 delays is not a short one, and not all requests were under way at once.
    assert done.summary.metrics["iteration"].min > 200
    assert done.summary.new_connections < 40


async def test_requests_that_are_held_up_end_with_their_iteration(target: Target) -> None:
    script = f"""export const options = {{ jitter: '60s', stop: 0 }};
      export default function () {{ http.get('{target.url}/'); }}"""
    done = await run(script, workers=3, duration_seconds=0.3)
    assert done.summary.interrupted_iterations == 3
    assert target.counted()["requests"] < 3


async def test_without_endpoint_tracking_all_requests_have_one_name(target: Target) -> None:
    script = f"""export const options = {{ noEndpointTracking: true,
        thresholds: {{ 'http_reqs{{kind:a}}': ['count == 2'], http_reqs: ['count == 4'] }} }};
      export default function () {{
        http.get('{target.url}/a'); http.post('{target.url}/b', 'x', {{ name: 'b', tags: {{ kind: 'a' }} }}); }}"""
    done = await run(script, workers=1, iterations=2)
    (endpoint,) = done.summary.endpoints
    assert (endpoint.name, endpoint.method, endpoint.count) == ("all", "", 4)
    assert [threshold.value for threshold in done.summary.thresholds] == [2, 4]


async def test_each_scenario_has_its_own_variables_tags_and_sink(target: Target) -> None:
    script = f"""export const options = {{ env: {{ A: 'all', B: 'all' }}, scenarios: {{
        one: {{ iterations: 1, env: {{ A: 'one' }}, responseSink: true, tags: {{ team: 'x' }} }},
        two: {{ iterations: 1, exec: 'two', startTime: '50ms' }} }} }};
      const before = __ENV.GIVEN + __ENV.A;
      function both(expected, sunk) {{
        check(http.get('{target.url}/bytes/5'), {{
          sunk: (r) => (r.body === null) === sunk,
          env: () => before + [__ENV.A, __ENV.B, __ENV.GIVEN] === 'givenundefined' + expected }}); }}
      export default function () {{ both('one,all,given', true); }}
      export function two() {{ both('all,all,given', false); }}"""
    done = await run(script, env={"GIVEN": "given"})
    assert [(check.name, check.passes) for check in done.summary.checks] == [
        ("env", 2),
        ("sunk", 2),
    ]
    assert done.summary.data_received_bytes == target.counted()["bytes_sent"]


async def test_the_engines_own_numbers_are_metrics_for_thresholds(target: Target) -> None:
    script = f"""export const options = {{ thresholds: {{
        vus: ['max == 4', 'value == 4'], 'vus{{scenario:a}}': ['max == 3'],
        pool_hits: ['count == 4'], 'pool_misses{{scenario:b}}': ['count <= 1'],
        iterations: ['count == 8'], dropped_iterations: ['count == 0'], checks: ['rate == 1'],
        data_sent: ['count > 100'], 'sold{{shop:x}}': ['count == 6'], 'sold{{shop:y}}': ['count == 0'] }},
      scenarios: {{ a: {{ vus: 3, iterations: 2 }}, b: {{ vus: 1, iterations: 2 }} }} }};
      export default function () {{
        check(http.get('{target.url}/'), {{ ok: (r) => r.status === 200 }});
        if (__SCENARIO === 'a') metrics.counterAdd('sold', 1, {{ shop: 'x' }});
        sleep(0.6); }}"""
    done = await run(script)
    assert {
        f"{one.metric}: {one.expression}": one.value
        for one in done.summary.thresholds
        if not one.ok
    } == {}
    assert done.summary.metrics["vus"] == 4
    assert (done.summary.metrics["pool_hits"], done.summary.metrics["pool_misses"]) == (
        done.summary.reused_connections,
        done.summary.new_connections,
    )


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
@pytest.mark.parametrize(
    ("option", "opened", "reused"),
    [("noConnectionReuse", 12, 0), ("noVUConnectionReuse", 4, 8), ("insecure", 2, 10)],
)
async def test_workers_share_connections_or_do_not(
    target: Target, driver: str, option: str, opened: int, reused: int
) -> None:
    """Two workers, two iterations, three requests one after the other, at the same time."""
    script = f"""export const options = {{ {option}: true, http_driver: '{driver}' }};
      export default function () {{ for (let i = 0; i < 3; i++) http.get('{target.url}/delay/60'); }}"""
    done = await run(script, workers=2, iterations=2)
    found = (done.summary.new_connections, done.summary.reused_connections)
    assert found == (opened, reused)
    assert target.counted()["connections"] == opened + 1


@pytest.mark.parametrize(
    "shape",
    [
        "executor: 'constant-arrival-rate', rate: 20, timeUnit: '500ms', duration: '1s'",
        """executor: 'ramping-arrival-rate', startRate: 20, timeUnit: '500ms',
           stages: [{ duration: '1s', target: 20 }]""",
        """executor: 'ramping-arrival-rate', start_rate: 0, time_unit: '1s',
           schedule: [{ duration: '1s', target: 80 }]""",
    ],
)
async def test_an_iteration_that_finds_no_free_worker_is_dropped(shape: str) -> None:
    script = f"""export const options = {{ {shape}, preAllocatedVUs: 1, maxVUs: 2 }};
      export default function () {{ sleep(0.3); }}"""
    summary = (await run(script)).summary
    assert summary.iterations + summary.dropped_iterations == 40
    assert summary.dropped_iterations > 20
    assert summary.max_workers <= 2


async def test_each_scenario_has_its_own_start_and_grace(target: Target) -> None:
    script = f"""export const options = {{ gracefulStop: '5s', scenarios: {{
        patient: {{ executor: 'constant-vus', vus: 2, duration: '100ms' }},
        hasty: {{ executor: 'constant-workers', workers: 3, duration: '100ms', stop: 0 }},
        late: {{ executor: 'shared-iterations', vus: 2, iterations: 5, startTime: '300ms', exec: 'late' }},
        ramp: {{ executor: 'ramping-vus', startVUs: 1, stages: [{{ duration: '200ms', target: 1 }}], exec: 'ramp' }} }} }};
      export default function () {{ http.get('{target.url}/' + __SCENARIO); sleep(0.3); }}
      export function late() {{ http.get('{target.url}/late'); }}
      export function ramp() {{ http.get('{target.url}/ramp'); sleep(0.05); }}"""
    done = await run(script)
    counted = target.counted()
    assert [counted[f"GET /{name}"] for name in ("patient", "hasty", "late")] == [2, 3, 5]
    assert done.summary.interrupted_iterations == 3
    assert done.summary.iterations == 2 + 5 + counted["GET /ramp"]
    assert done.loaded.workers == 2 + 3 + 2 + 1


async def test_short_iterations_are_padded(target: Target) -> None:
    script = f"""export const options = {{ minIterationDuration: '200ms', iterations: 3, vus: 2 }};
      export default function () {{ http.get('{target.url}/'); }}"""
    done = await run(script)
    assert done.summary.iterations == 6
    assert done.summary.duration_seconds >= 0.4
    assert done.summary.metrics["iteration_total"].min < 200


async def test_thresholds_of_a_scenario_see_its_iterations_only() -> None:
    script = """export const options = { scenarios: {
        slow: { iterations: 1, tags: { team: 'a' }, thresholds: { iteration_duration: ['min >= 100'], iterations: ['count == 1'] } },
        fast: { iterations: 2, exec: 'fast', thresholds: { iteration_total: ['count == 2'], iterations: ['count == 2'] } } },
      thresholds: { 'iteration_total{team:a}': ['count == 1'], 'iterations{team:a}': ['count == 1'] } };
      export default function () { sleep(0.15); }
      export function fast() {}"""
    done = await run(script)
    assert [one.ok for one in done.summary.thresholds] == [True] * 6
    assert None not in [one.value for one in done.summary.thresholds]
