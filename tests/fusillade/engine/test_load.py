"""What a run does is what its plan says, and its numbers are those of the target."""

import asyncio

import pytest
from scripts import run
from target import Target

from fusillade.engine.share import split


async def test_iterations_per_worker_are_exact(target: Target) -> None:
    script = f"export default function () {{ http.get('{target.url}/'); }}"
    done = await run(script, workers=7, iterations=30)
    assert done.summary.iterations == done.summary.total_requests == 210
    assert target.counted()["requests"] == 210


async def test_shared_iterations_are_exact(target: Target) -> None:
    script = f"""
      export const options = {{ scenarios: {{ s: {{ executor: 'shared-iterations', vus: 10, iterations: 123 }} }} }};
      export default function () {{ http.get('{target.url}/'); }}"""
    done = await run(script)
    assert done.summary.iterations == 123
    assert target.counted()["requests"] == 123


@pytest.mark.parametrize(("workers", "pause"), [(1, 0.5), (20, 0.01), (50, 0)])
async def test_every_number_agrees_with_what_the_target_counted(
    target: Target, workers: int, pause: float
) -> None:
    script = f"""
      const base = '{target.url}';
      export default function () {{
        const res = [http.get(base + '/bytes/100'), http.get(base + '/status/404'),
          http.post(base + '/status/201', 'x'.repeat(__ITER % 50)), http.get(base + '/status/503')];
        check(res, {{ 'created': (r) => r[2].status === 201, 'never': (r) => r[0].status === 500 }});
        if ({pause}) sleep({pause});
      }}"""
    done = await run(script, workers=workers, duration_seconds=2)
    counted, summary = target.counted(), done.summary
    assert summary.total_requests == counted["requests"] > 0
    assert summary.status_codes == {
        code: counted[f"status {code}"] for code in ("200", "201", "404", "503")
    }
    assert summary.failed_requests == counted["status 404"] + counted["status 503"]
    assert summary.data_sent_bytes == counted["bytes_received"]
    assert summary.data_received_bytes == counted["bytes_sent"]
    checks = {check.name: (check.passes, check.fails) for check in summary.checks}
    assert checks == {"created": (summary.iterations, 0), "never": (0, summary.iterations)}
    points = done.aggregate.series_points()
    assert sum(point["requests"] for point in points) == counted["requests"]
    assert summary.reused_connections + summary.new_connections == counted["requests"]
    assert summary.new_connections == counted["connections"] - 1  # one asked for the counts


async def test_workers_ramp_up_and_down() -> None:
    script = """
      export const options = { stages: [{ duration: '1s', target: 20 }, { duration: '1s', target: 20 },
        { duration: '1s', target: 0 }] };
      export default function () { sleep(0.02); }"""
    done = await run(script, workers=20, duration_seconds=3)
    active = [point["active_workers"] for point in done.aggregate.series_points()]
    assert active[0] >= 15
    assert active[1] == 20
    assert active[2] <= 5
    assert done.summary.max_workers == 20


async def test_scenarios_run_side_by_side_with_their_own_functions(target: Target) -> None:
    script = f"""
      export const options = {{ scenarios: {{
        first: {{ executor: 'per-worker-iterations', vus: 2, iterations: 3, exec: 'one' }},
        second: {{ executor: 'per-worker-iterations', vus: 1, iterations: 4, exec: 'two', startTime: '200ms' }},
      }} }};
      export function one() {{ http.get('{target.url}/one?' + __SCENARIO); }}
      export function two() {{ http.get('{target.url}/two?' + __SCENARIO); }}"""
    await run(script)
    counted = target.counted()
    assert (counted["GET /one"], counted["GET /two"]) == (6, 4)


async def test_setup_gives_its_data_to_every_iteration_and_to_teardown(target: Target) -> None:
    script = f"""
      export function setup() {{ return {{ path: '/from-setup', list: [1, 2] }}; }}
      export default function (data) {{ http.get('{target.url}' + data.path + data.list.length); }}
      export function teardown(data) {{ http.get('{target.url}/teardown' + data.list[1]); }}"""
    done = await run(script, workers=2, iterations=2)
    assert done.setup_data == {"path": "/from-setup", "list": [1, 2]}
    counted = target.counted()
    assert (counted["GET /from-setup2"], counted["GET /teardown2"]) == (4, 1)


async def test_each_worker_knows_its_number_and_its_iteration(target: Target) -> None:
    script = f"""export default function () {{
      __WORKER_STATE.count = (__WORKER_STATE.count ?? 0) + 1;
      http.get(`{target.url}/${{__VU}}-${{__WORKER_ID}}-${{__ITER}}-${{__ITERATION}}-${{__WORKER_STATE.count}}`, {{ name: 'x' }}); }}"""
    await run(script, workers=2, iterations=2)
    paths = {path for path in target.counted() if path.startswith("GET")}
    assert paths == {"GET /1-1-0-0-1", "GET /1-1-1-1-2", "GET /2-2-0-0-1", "GET /2-2-1-1-2"}


async def test_iterations_under_way_are_interrupted_after_the_grace_time() -> None:
    script = """export const options = { gracefulStop: '200ms' };
      export default function () { sleep(60); }"""
    done = await run(script, workers=3, duration_seconds=1)
    assert done.summary.interrupted_iterations == 3
    assert done.summary.iterations == 0


async def test_async_iterations_end_when_everything_they_began_has_ended(target: Target) -> None:
    script = f"""
      const get = async (path) => http.get('{target.url}' + path);
      export default async function () {{ get('/beside'); await get('/awaited'); }}"""
    done = await run(script, workers=2, iterations=3)
    counted = target.counted()
    assert (counted["GET /beside"], counted["GET /awaited"]) == (6, 6)
    assert done.summary.iterations == 6
    assert done.summary.total_requests == 12


async def test_hosts_of_unequal_size_do_exactly_what_one_host_would(target: Target) -> None:
    script = f"""
      export const options = {{ scenarios: {{
        shared: {{ executor: 'shared-iterations', vus: 7, iterations: 101, exec: 'shared' }},
        each: {{ executor: 'per-worker-iterations', vus: 13, iterations: 3, exec: 'each' }},
        alone: {{ executor: 'shared-iterations', vus: 1, iterations: 5, exec: 'alone' }},
        rate: {{ executor: 'constant-arrival-rate', rate: 97, duration: '1s', maxVUs: 20, exec: 'rate' }},
      }} }};
      const get = (path) => http.get(`{target.url}/${{path}}`, {{ name: 'page' }});
      export const shared = () => get('shared');
      export const each = () => get(`each/${{__WORKER_ID}}`);
      export const alone = () => get('alone');
      export const rate = () => {{ get('rate'); get(`id/${{utils.sequentialId()}}`); }};"""
    await asyncio.gather(*(run(script, share=share) for share in split([1, 2, 4])))
    counted = target.counted()
    assert [counted[f"GET /{name}"] for name in ("shared", "alone", "rate")] == [101, 5, 97]
    each = {path: count for path, count in counted.items() if path.startswith("GET /each/")}
    assert len(each) == 13
    assert set(each.values()) == {3}
    ids = [count for path, count in counted.items() if path.startswith("GET /id/")]
    assert (len(ids), set(ids)) == (97, {1})
