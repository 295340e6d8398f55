"""Hooks, retries and batches, and what they are together."""

import pytest
from scripts import evaluate, run
from target import Target


@pytest.fixture
def base(shared_target: Target) -> str:
    return f"""const base = '{shared_target.url}';
      const caught = (call) => {{ try {{ call(); return 'nothing'; }} catch (error) {{ return error.message; }} }};"""


async def test_hooks_may_wait_and_what_they_request_has_none(base: str) -> None:
    body = """const log = [];
      http.addHook('beforeRequest', (req) => {
        log.push('before ' + req.method); sleep(0.001);
        req.headers.Token = http.get(base + '/bytes/3').body; req.url += '?hooked'; req.method = 'put'; req.body = 'changed';
      });
      http.addHook('beforeRequest', async (req) => { await null; req.headers.Async = '1'; });
      http.addHook('afterResponse', (res) => { http.get(base + '/'); log.push('after ' + res.status); });
      const seen = http.post(base + '/echo', 'given').json();
      const names = Object.fromEntries(seen.headers);
      http.clearHooks();
      return [log, seen.method, seen.url, seen.body, names.Token, names.Async];"""
    assert await evaluate(body, head=base) == [
        ["before POST", "after 200"],
        "PUT",
        "/echo?hooked",
        "changed",
        "xxx",
        "1",
    ]


async def test_hooks_are_called_once_for_a_request_and_all_that_it_redirects_to(base: str) -> None:
    body = """const log = [];
      http.addHook('beforeRequest', (req) => { log.push(req.url.slice(base.length)); });
      http.addHook('afterResponse', (res) => { log.push(res.status); });
      http.get(base + '/redirect/2'); return log;"""
    assert await evaluate(body, head=base) == ["/redirect/2", 200]


async def test_a_hook_that_throws_is_an_error_of_the_request(base: str) -> None:
    body = """http.addHook('beforeRequest', () => { throw new Error('no entry'); });
      const tried = [caught(() => http.get(base + '/')), caught(() => http.batch([base + '/', base + '/']))];
      http.clearHooks(); return [...tried, http.get(base + '/').status];"""
    assert await evaluate(body, head=base) == ["no entry", "no entry", 200]


async def test_parts_of_a_batch_have_hooks_and_retries(target: Target) -> None:
    script = f"""const base = '{target.url}';
      export default function () {{
        http.addHook('beforeRequest', (req) => {{ req.headers.Hook = 'h'; sleep(0.001); }});
        const found = http.batch({{ a: base + '/echo', b: {{ url: base + '/status/503', retry: 2, retryDelay: 0 }},
          c: ['POST', base + '/echo', 'x', {{ retry: 1 }}] }});
        check(found, {{
          keys: (f) => Object.keys(f).sort().join() === 'a,b,c',
          hook: (f) => f.a.json().headers.some(([name]) => name === 'Hook'),
          failed: (f) => f.b.status === 503, body: (f) => f.c.json().body === 'x' }}); }}"""
    done = await run(script, workers=1, iterations=1)
    assert {check.name: check.passes for check in done.summary.checks} == {
        "keys": 1,
        "hook": 1,
        "failed": 1,
        "body": 1,
    }
    assert target.counted()["status 503"] == 3


async def test_a_batch_takes_requests_in_every_form(base: str) -> None:
    body = """const methods = (list) => list.map((res) => [res.json().method, res.json().body, res.json().headers.some(([n]) => n === 'X')]);
      const url = base + '/echo'; const headers = { X: 'y' };
      return methods(http.batch([url, ['get', url], ['POST', url, 'a', { headers }], ['PUT', url, { b: 1 }],
        { method: 'PATCH', url, body: 'c', headers }, { method: 'post', url, body: 'd', params: { headers } },
        http.url`${url}`, ['DELETE', url, null, { headers }]]));"""
    assert await evaluate(body, head=base) == [
        ["GET", "", False],
        ["GET", "", False],
        ["POST", "a", True],
        ["PUT", "b=1", False],
        ["PATCH", "c", True],
        ["POST", "d", True],
        ["GET", "", False],
        ["DELETE", "", True],
    ]


async def test_progress_of_a_batch_is_told_and_may_wait(base: str) -> None:
    body = """const told = []; const urls = ['/', '/delay/20', '/close'].map((path) => base + path);
      const list = http.batch(urls, (done, all) => { sleep(0.001); told.push(done + '/' + all); });
      const thrown = caught(() => http.batch(urls, () => { throw new Error('enough'); }));
      return [list.map((res) => res.status), told, thrown, http.batch(urls).length];"""
    assert await evaluate(body, head=base) == [
        [200, 200, 0],
        ["1/3", "2/3", "3/3"],
        "enough",
        3,
    ]


async def test_a_wrong_request_in_a_batch_sends_none(target: Target) -> None:
    body = f"""const base = '{target.url}'; const wrong = [[base + '/', 'nowhere'], [base + '/', undefined], [base + '/', ['G T', base]]];
      return wrong.map((list) => {{ try {{ http.batch(list); return ''; }} catch (error) {{ return error.message; }} }});"""
    messages = await evaluate(body)
    assert ["not an absolute URL" in message for message in messages] == [True, True, False]
    assert messages[2] == 'http: the method "G T" has a forbidden character'
    assert target.counted()["requests"] == 0


async def test_retries_wait_as_long_as_is_said_and_end_when_it_is_said(base: str) -> None:
    body = """const asked = [];
      const url = base + '/status/500';
      const res = http.get(url, { retry: 3, retryOn: (r) => { sleep(0.001); return r.status === 500; },
        retryDelayFn: (n) => { asked.push(n); return n === 3 ? 0 : 1; } });
      return [res.status, asked, http.get(url, { retry: 2, retryDelay: '1ms', retryOn: () => false }).status,
        caught(() => http.get(url, { retry: 1, retryDelay: 'soon' }))];"""
    seen = await evaluate(body, head=base)
    assert seen[:3] == [500, [1, 2, 3], 500]
    assert "retryDelay" in seen[3]
