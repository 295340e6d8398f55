"""What SCRIPT_API gives besides single requests."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from scripts import as_files, evaluate, run
from target import Target

from fusillade.hosting.script_host import ScriptHost, ScriptRejected


@pytest.fixture
def base(shared_target: Target) -> str:
    return f"const base = '{shared_target.url}';"


TEXTS = ["", "abc", "a" * 55, "b" * 56, "c" * 64, "d" * 200, "żółć 😀"]


async def test_hashes_are_those_of_the_standards() -> None:
    found = await evaluate(
        f"return {TEXTS!r}.map((t) => [crypto.md5(t), crypto.sha1(t), crypto.sha256(t),"
        "crypto.hmac('sha256', 'key', t), crypto.hmac('md5', 'k'.repeat(100), t)]);"
    )
    for text, hashes in zip(TEXTS, found, strict=True):
        content = text.encode()
        assert hashes == [
            hashlib.md5(content).hexdigest(),
            hashlib.sha1(content).hexdigest(),
            hashlib.sha256(content).hexdigest(),
            hmac.new(b"key", content, "sha256").hexdigest(),
            hmac.new(b"k" * 100, content, "md5").hexdigest(),
        ]


async def test_base64_goes_both_ways() -> None:
    found = await evaluate(
        f"return {TEXTS!r}.map((t) => [encoding.b64encode(t), encoding.b64decode(encoding.b64encode(t))]);"
    )
    assert found == [[base64.b64encode(text.encode()).decode(), text] for text in TEXTS]


async def test_sequential_ids_are_unique_across_workers(target: Target) -> None:
    script = f"""export default function () {{
      for (let i = 0; i < 3; i++) http.get(`{target.url}/id/${{utils.sequentialId()}}x`, {{ name: 'x' }}); }}"""
    await run(script, workers=4, iterations=2)
    ids = [path for path in target.counted() if path.startswith("GET /id/")]
    assert len(ids) == 24


async def test_utils_make_what_they_say() -> None:
    made = await evaluate(
        """return { uuid: utils.uuid(), int: Array.from({ length: 200 }, () => utils.randomInt(1, 3)),
          text: utils.randomString(8), item: utils.randomItem(['a']), email: utils.randomEmail(),
          date: utils.randomDate('2020-01-01', '2020-01-02') };"""
    )
    assert len(made["uuid"]) == 36
    assert made["uuid"][14] == "4"
    assert set(made["int"]) == {1, 2, 3}
    assert len(made["text"]) == 8
    assert made["item"] == "a"
    assert made["email"].endswith("@example.com")
    assert made["date"] == "2020-01-01"


async def test_a_batch_answers_in_order(base: str) -> None:
    body = """const list = http.batch(['/delay/20', '/status/404', '/delay/10'].map((p) => base + p));
      const named = http.batch({ a: { method: 'POST', url: base + '/echo', body: 'x' }, b: ['GET', base + '/status/500'] });
      return [list.map((r) => r.status), named.a.json().body, named.b.status, http.batch([])];"""
    assert await evaluate(body, head=base) == [[200, 404, 200], "x", 500, []]


async def test_a_batch_runs_side_by_side(target: Target) -> None:
    script = f"""export default function () {{
      http.batch([1, 2, 3, 4].map(() => '{target.url}/delay/100')); http.get('{target.url}/'); }}"""
    done = await run(script, workers=1, iterations=1)
    assert (done.summary.new_connections, done.summary.reused_connections) == (4, 1)


async def test_a_failing_request_is_repeated_as_often_as_asked(target: Target) -> None:
    script = f"""export default function () {{
      const retry = {{ retry: 2, retryDelay: 1 }};
      check(http.get('{target.url}/status/503', retry), {{ 'still 503': (r) => r.status === 503 }});
      http.get('{target.url}/status/200', retry);
      http.get('{target.url}/status/404', {{ ...retry, retryOn: (r) => r.status === 404, retryDelayFn: () => 0 }});
    }}"""
    done = await run(script, workers=1, iterations=1)
    counted = target.counted()
    assert [counted[f"status {code}"] for code in (503, 200, 404)] == [3, 1, 3]
    assert done.summary.checks[0].passes == 1


async def test_hooks_see_requests_and_responses(base: str) -> None:
    body = """const seen = [];
      http.addHook('beforeRequest', (req) => { req.headers['X-Hook'] = 'yes'; sleep(0.001); });
      http.addHook('afterResponse', (res) => { seen.push(res.status); });
      const headers = http.get(base + '/echo').json().headers;
      http.clearHooks();
      http.get(base + '/status/500');
      return [headers.some(([k, v]) => k === 'X-Hook' && v === 'yes'), seen];"""
    assert await evaluate(body, head=base) == [True, [200]]


async def test_defaults_are_sent_unless_the_request_says_otherwise(base: str) -> None:
    body = """http.setDefaults({ headers: { 'X-Team': 'a', Authorization: http.bearerToken('t') } });
      const of = (options) => Object.fromEntries(http.get(base + '/echo', options).json().headers);
      const plain = of(); const own = of({ headers: { 'x-team': 'b' } });
      return [plain['X-Team'], plain.Authorization, own['x-team'], own['X-Team'] ?? null, http.basicAuth('u', 'p')];"""
    assert await evaluate(body, head=base) == ["a", "Bearer t", "b", None, "Basic dTpw"]


async def test_a_default_timeout_holds_for_urls_that_were_used_before(base: str) -> None:
    body = """const url = base + '/delay/300'; const before = http.get(url).status;
      http.setDefaults({ timeout: '50ms' });
      return [before, http.get(url).error];"""
    assert await evaluate(body, head=base) == [200, "TIMEOUT"]


async def test_forms_with_files(base: str) -> None:
    body = """const form = new FormData(); form.append('a', '1'); form.append('f', http.file('data', 'n.txt', 'text/plain'));
      const seen = http.post(base + '/echo', form).json();
      return [Object.fromEntries(seen.headers)['Content-Type'], seen.body];"""
    content_type, sent = await evaluate(body, head=base)
    boundary = content_type.partition("boundary=")[2]
    assert sent == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--{boundary}\r\n'
        'Content-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: text/plain\r\n'
        f"\r\ndata\r\n--{boundary}--\r\n"
    )


async def test_urls_and_graphql(base: str) -> None:
    body = """const seen = http.graphql(base + '/echo', 'query { a }', { b: 1 }).json();
      return [http.url('http://h/p', { a: 'x y', b: 2 }), http.url('http://h/p?c=1', { d: 3 }), seen.method, JSON.parse(seen.body)];"""
    assert await evaluate(body, head=base) == [
        "http://h/p?a=x+y&b=2",
        "http://h/p?c=1&d=3",
        "POST",
        {"query": "query { a }", "variables": {"b": 1}},
    ]


def cookie(path: str) -> str:
    return f"Object.fromEntries(http.get(base + '{path}').json().headers).Cookie ?? null"


async def test_cookies_are_kept_and_sent_where_they_belong(base: str) -> None:
    body = f"""
      const set = (path, value) => http.get(base + path + '?set-cookie=' + encodeURIComponent(value));
      set('/cookie', 'a=1; Path=/'); set('/cookie', 'b=2; Path=/echo'); set('/cookie', 'c=3; Path=/other');
      set('/cookie', 'd=4; Path=/; Secure'); set('/cookie', 'e=5; Path=/; Max-Age=0');
      set('/cookie', 'f=6; Path=/; Domain=example.com');
      const first = {cookie("/echo")};
      set('/cookie', 'a=9; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT');
      const jar = http.cookieJar(); jar.set(base, 'g', '7');
      const second = {cookie("/echo")};
      const listed = jar.cookiesForUrl(base + '/echo');
      jar.clear(base + '/echo');
      return [first, second, listed, {cookie("/echo")}];"""
    assert await evaluate(body, head=base) == [
        "b=2; a=1",
        "b=2; g=7",
        {"b": ["2"], "g": ["7"]},
        None,
    ]


async def test_cookies_belong_to_one_worker(target: Target) -> None:
    script = f"""export default function () {{
      if (__VU === 1) http.get('{target.url}/cookie?set-cookie=' + encodeURIComponent('who=first; Path=/'));
      else sleep(0.05);
      const sent = Object.fromEntries(http.get('{target.url}/echo').json().headers).Cookie ?? 'none';
      check(sent, {{ [`${{__VU}} sent ${{sent}}`]: () => true }}); }}"""
    done = await run(script, workers=2, iterations=1)
    assert {check.name for check in done.summary.checks} == {"1 sent who=first", "2 sent none"}


async def test_own_metrics_reach_the_summary() -> None:
    script = """
      import { Trend, Counter, Rate, Gauge } from 'k6/metrics';
      const trend = new Trend('t'), counter = new Counter('c'), rate = new Rate('r'), gauge = new Gauge('g');
      export default function () {
        trend.add(10 * (__ITER + 1)); counter.add(2); rate.add(__ITER > 0); gauge.add(__ITER);
        metrics.histogramAdd('mine', 5, { n: 1 }); metrics.counterAdd('mine_count', 3); metrics.rateAdd('mine_rate', true);
        check(stats.get('t'), { 'stats know it': (s) => s.count >= 1 && s.max >= 10 });
      }"""
    done = await run(script, workers=1, iterations=4)
    found: dict[str, Any] = dict(done.summary.metrics)
    assert (found["t"].count, found["t"].min, found["t"].max) == (4, 10, 40)
    assert (found["c"], found["r"], found["g"], found["mine_count"]) == (8, 0.75, 3, 12)
    assert found["mine"].avg == 5
    assert found["mine_rate"] == 1
    assert done.summary.checks[0].fails == 0


async def test_groups_and_segments_nest() -> None:
    script = """export default function () {
      group('a', () => { segment('b', () => { sleep(0.001); check(1, { x: () => true }); }); check(1, { y: () => true }); });
      check(1, { z: () => false }); }"""
    done = await run(script, workers=1, iterations=1)
    assert {(c.group, c.name, c.passes) for c in done.summary.checks} == {
        ("a::b", "x", 1),
        ("a", "y", 1),
        ("", "z", 0),
    }


async def test_unit_tests_count_as_checks() -> None:
    script = """export default function () {
      describe('sums', () => {
        test('one and one', () => { sleep(0.001); expect(1 + 1).toBe(2); });
        test('objects', () => { expect({ a: [1, { b: 2 }] }).toEqual({ a: [1, { b: 2 }] }); });
        test('wrong', () => { expect(1).toBe(2); });
      }); }"""
    done = await run(script, workers=1, iterations=1)
    assert {(c.group, c.name): c.passes for c in done.summary.checks} == {
        ("sums", "one and one"): 1,
        ("sums", "objects"): 1,
        ("sums", "wrong"): 0,
    }
    assert any("expected 1 to be 2" in line for line in done.log)


async def test_files_of_the_test_are_opened_and_shared() -> None:
    files = {
        "data/users.csv": 'name,note\nada,"a, ""b"""\r\nbob,\n',
        "data/list.json": '[{"id": 1}, {"id": 2}]',
    }
    head = """
      const users = new SharedCSV('data/users.csv');
      const list = new SharedArray('list', () => JSON.parse(open('./data/../data/list.json')));
      const errors = ['/etc/passwd', '../secret', 'missing.txt'].map((p) => { try { open(p); return 'opened'; } catch (e) { return e.message.slice(0, 7); } });"""
    body = "return [users.headers, users.length, users.get(0), users.random().name.length, list[1].id, Object.isFrozen(list[0]), errors];"
    assert await evaluate(body, head=head, files=files) == [
        ["name", "note"],
        2,
        {"name": "ada", "note": 'a, "b"'},
        3,
        2,
        True,
        ["open():"] * 3,
    ]


@pytest.mark.parametrize("rate", [50, 333])
async def test_arrival_rates_are_exact(target: Target, rate: int) -> None:
    script = f"""export const options = {{ executor: 'constant-arrival-rate', rate: {rate}, duration: '2s', preAllocatedVUs: {2 * rate} }};
      export default function () {{ http.get('{target.url}/'); }}"""
    done = await run(script)
    assert done.summary.iterations + done.summary.dropped_iterations == 2 * rate
    assert done.summary.dropped_iterations == 0
    assert target.counted()["requests"] == 2 * rate


async def test_iterations_that_find_no_free_worker_are_dropped_and_counted() -> None:
    script = """export const options = { executor: 'constant-arrival-rate', rate: 20, duration: '1s', vus: 2 };
      export default function () { sleep(5); }"""
    done = await run(script)
    assert done.summary.dropped_iterations == 18
    assert done.summary.iterations + done.summary.interrupted_iterations == 2


async def test_a_ramp_of_rates_has_the_area_under_its_lines(target: Target) -> None:
    script = f"""export const options = {{ executor: 'ramping-arrival-rate', startRate: 0, vus: 110,
        stages: [{{ duration: '1s', target: 100 }}, {{ duration: '1s', target: 20 }}] }};
      export default function () {{ http.get('{target.url}/'); }}"""
    done = await run(script)
    assert done.summary.iterations == target.counted()["requests"] == 110


async def test_data_lie_beside_the_entry_or_at_the_top_of_the_tests_files() -> None:
    script = """const found = ['users.csv', './users.csv', '../top.txt', 'top.txt', 'load/users.csv'].map((p) => open(p));
      const missing = ['/top.txt', '../../top.txt', 'none'].map((p) => { try { return open(p); } catch (e) { return e.message; } });
      export function setup() { return { found, missing }; }
      export default function () {}"""
    files = {"load/users.csv": "u", "top.txt": "t"}
    done = await run(script, files=files, entry="load/main.js", workers=1, iterations=1)
    assert done.setup_data["found"] == ["u", "u", "t", "t", "u"]
    assert all("has no file" in words for words in done.setup_data["missing"])


async def test_what_is_not_available_says_so_however_it_is_reached() -> None:
    found = await evaluate(
        """return ['GrpcClient', 'JsMqttClient', 'JsAmqpClient'].map((name) => {
            try { return new globalThis[name](); } catch (error) { return error.message; } })
          .concat([(() => { try { globalThis['chromium'].launch(); } catch (error) { return error.message; } })()]);"""
    )
    assert found == [
        "GrpcClient is not available yet: tests cannot use gRPC",
        "JsMqttClient is not available yet: tests cannot use MQTT",
        "JsAmqpClient is not available yet: tests cannot use AMQP",
        "chromium is not available yet: tests cannot use a browser",
    ]


async def test_half_a_character_in_a_text_breaks_nothing() -> None:
    script = """export const options = { tags: { cut: 'é\\ud83d' } };
      export function setup() { return 'a\\ud800'; }
      export default function (data) {
        console.log('\\\\ud800 \\ud800', '😀'.slice(0, 1));
        check(data, { 'x\\ud800': (v) => v === 'a\\ud800' });
        metrics.counterAdd('sold\\udc00', 1);
        throw new Error('\\ud800');
      }
      export function handleSummary() { return { stdout: '\\ud83d' }; }"""
    done = await run(script, workers=1, iterations=1)
    assert done.loaded.options["tags"] == {"cut": "é?"}
    assert [(check.name, check.passes) for check in done.summary.checks] == [("x?", 1)]
    assert done.summary.metrics["sold?"] == 1
    assert done.log[0] == "info: \\ud800 ? ?"
    assert done.output == {"stdout": "?"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "let x = 1; for (let i = 0; i < 1500; i++) x = [x]; export const options = { x };",
            "options: are nested too deeply",
        ),
        ("export const options = { x: 'y'.repeat(2e6) };", "options: must have at most 1,048,576"),
    ],
)
async def test_options_without_measure_are_refused(source: str, words: str) -> None:
    async with ScriptHost() as host:
        with pytest.raises(ScriptRejected, match=words):
            await host.load(as_files(source + "\nexport default function () {}"), "script.js")
