"""handleSummary: what it gets, and what happens when it fails."""

import pytest
from scripts import run
from target import Target

from fusillade.hosting.script_host import ScriptFailed


async def test_it_gets_the_result_in_the_shape_of_k6_and_our_own(target: Target) -> None:
    script = f"""
      export const options = {{ thresholds: {{ http_reqs: ['count > 100'], 'http_req_duration{{name:x}}': ['p(95)<9000'] }} }};
      export default function () {{
        group('outer', () => group('inner', () => check(http.get('{target.url}/status/404', {{ name: 'x' }}), {{ found: (r) => r.status === 200 }})));
        check(1, {{ one: (v) => v === 1 }});
        metrics.gaugeSet('level', 7); metrics.counterAdd('sold', 3); metrics.rateAdd('good', false);
        metrics.histogramAdd('size', 5);
      }}
      export function handleSummary(data) {{ return {{ data, when: 'end' }}; }}"""
    done = await run(script, workers=2, iterations=2)
    assert done.output["when"] == "end"
    data = done.output["data"]
    metrics = {name: metric["values"] for name, metric in data["metrics"].items()}
    assert metrics["http_reqs"]["count"] == metrics["http_req_duration"]["count"] == 4
    assert metrics["http_req_failed"] == {"rate": 1, "passes": 4, "fails": 0}
    assert metrics["checks"] == {"rate": 0.5, "passes": 4, "fails": 4}
    assert metrics["iterations"]["count"] == metrics["iteration_duration"]["count"] == 4
    assert metrics["level"] == {"value": 7}
    assert metrics["good"] == {"rate": 0}
    assert metrics["sold"]["count"] == 12
    assert metrics["size"]["med"] == 5
    assert metrics["http_req_waiting"]["p(95)"] > 0
    types = {data["metrics"][name]["type"] for name in ("sold", "level", "good", "size")}
    assert types == {"counter", "gauge", "rate", "trend"}
    assert data["metrics"]["http_reqs"]["thresholds"] == {"count > 100": {"ok": False}}
    assert data["metrics"]["http_req_duration{name:x}"]["thresholds"] == {
        "p(95)<9000": {"ok": True}
    }
    (outer,) = data["root_group"]["groups"]
    (inner,) = outer["groups"]
    assert inner["path"] == "::outer::inner"
    assert inner["checks"] == [
        {"name": "found", "path": "::outer::inner::found", "passes": 0, "fails": 4}
    ]
    assert [check["name"] for check in data["root_group"]["checks"]] == ["one"]
    assert data["options"]["thresholds"]["http_reqs"] == ["count > 100"]
    assert data["state"]["testRunDurationMs"] > 0
    assert data["summary"]["total_requests"] == 4
    assert data["summary"]["endpoints"][0]["name"] == "x"


async def test_it_may_wait_and_send_what_it_found(target: Target) -> None:
    script = f"""export default function () {{}}
      export async function handleSummary(data) {{
        const answer = await http.post('{target.url}/echo', JSON.stringify(data.summary.iterations));
        return {{ stdout: answer.json().body }}; }}"""
    done = await run(script, workers=1, iterations=3)
    assert done.output == {"stdout": "3"}
    assert done.summary.total_requests == 0


async def test_without_it_nothing_is_returned() -> None:
    done = await run("export default function () {}", workers=1, iterations=1)
    assert done.output is None


async def test_one_that_throws_says_what_and_where() -> None:
    script = "export default function () {}\nexport function handleSummary() { null.x; }"
    with pytest.raises(ScriptFailed, match=r"handleSummary\(\) threw TypeError.*script\.js:2:"):
        await run(script, workers=1, iterations=1)
