"""Requests that really go over sockets, and what a script sees of them."""

import socket
from typing import Any

import pytest
from scripts import evaluate, run
from target import Target


@pytest.fixture
def base(shared_target: Target) -> str:
    return f"const base = '{shared_target.url}';"


async def echoed(base: str, request: str) -> Any:
    """What the target received."""
    return await evaluate(f"return {request}.json();", head=base)


async def test_each_method_arrives_as_itself(base: str) -> None:
    body = """return [http.get(base + '/echo'), http.post(base + '/echo', 'a'),
      http.put(base + '/echo', 'b'), http.patch(base + '/echo', 'c'), http.del(base + '/echo'),
      http.options(base + '/echo'), http.request({ method: 'REPORT', url: base + '/echo' })]
      .map((res) => res.json()).map((seen) => seen.method + ' ' + seen.body);"""
    assert await evaluate(body, head=base) == [
        "GET ",
        "POST a",
        "PUT b",
        "PATCH c",
        "DELETE ",
        "OPTIONS ",
        "REPORT ",
    ]


async def test_head_has_headers_and_no_body(base: str) -> None:
    body = "const res = http.head(base + '/bytes/10'); return [res.status, res.body, res.headers];"
    status, content, headers = await evaluate(body, head=base)
    assert (status, content) == (200, "")
    assert headers["Content-Length"] == "10"


async def test_headers_are_sent_as_given(base: str) -> None:
    seen = await echoed(base, "http.get(base + '/echo', { headers: { 'X-A': 'b', Accept: 'c' } })")
    assert ["X-A", "b"] in seen["headers"]
    assert ["Accept", "c"] in seen["headers"]


async def test_an_object_is_sent_as_a_form_or_as_json(base: str) -> None:
    seen = await echoed(base, "http.post(base + '/echo', { a: 'x y', b: ['1', '2'] })")
    assert seen["body"] == "a=x+y&b=1&b=2"
    assert ["Content-Type", "application/x-www-form-urlencoded"] in seen["headers"]
    json_type = "{ headers: { 'Content-Type': 'application/json' } }"
    seen = await echoed(base, f"http.post(base + '/echo', {{ a: [1, null] }}, {json_type})")
    assert seen["body"] == '{"a":[1,null]}'


async def test_unicode_goes_both_ways(base: str) -> None:
    seen = await echoed(base, "http.post(base + '/echo', 'żółć 😀 \\ud800')")
    assert seen["body"] == "żółć 😀 \ufffd"


async def test_large_bodies_go_both_ways(base: str) -> None:
    body = (
        "const sent = 'é'.repeat(1000000); return [http.post(base + '/echo', sent).json().body === sent, "
        "http.get(base + '/bytes/5000000').body.length];"
    )
    assert await evaluate(body, head=base) == [True, 5_000_000]


async def test_redirects_are_followed_and_each_hop_is_counted(target: Target) -> None:
    script = f"export default function () {{ http.get('{target.url}/redirect/3'); }}"
    done = await run(script, workers=1, iterations=1)
    assert done.summary.total_requests == 5
    assert done.summary.status_codes == {"200": 1, "302": 4}
    assert target.counted()["requests"] == 5


async def test_redirects_are_not_followed_where_that_is_asked_for(base: str) -> None:
    body = (
        "return [http.get(base + '/redirect/1', { followRedirects: false }).status, "
        "http.get(base + '/redirect/5', { maxRedirects: 2 }).status];"
    )
    assert await evaluate(body, head=base) == [302, 302]


async def test_a_failed_request_is_a_response_with_status_0(base: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        body = f"""const show = (res) => [res.status, res.error, res.errorCode, res.body];
          return [show(http.get('http://127.0.0.1:{port}/')),
            show(http.get(base + '/close')),
            show(http.get(base + '/delay/2000', {{ timeout: '50ms' }})),
            show(http.get('http://no-such-host.invalid/'))];"""
        assert await evaluate(body, head=base) == [
            [0, "CONNECT", "ECONNREFUSED", None],
            [0, "RESET", "ECONNRESET", None],
            [0, "TIMEOUT", "ETIMEDOUT", None],
            [0, "DNS", "ENOTFOUND", None],
        ]


async def test_timings_add_up(base: str) -> None:
    timings = await evaluate("return http.get(base + '/delay/30').timings;", head=base)
    parts = timings["sending"] + timings["waiting"] + timings["receiving"]
    assert timings["duration"] == pytest.approx(parts, abs=0.01)
    assert timings["waiting"] >= 29
    assert timings["tls_handshaking"] == 0


async def test_response_methods(base: str) -> None:
    body = """const res = http.get(base + '/');
      return [res.statusText, res.json().status, res.bodyContains('ok'), res.bodyMatches(/"o./),
        res.hasHeader('content-type'), res.hasHeader('Content-Type', 'text/html'), res.isJson(),
        res.matchesSchema({ status: 'string' }), res.matchesSchema({ status: 'number' }), res.proto];"""
    assert await evaluate(body, head=base) == [
        "Whatever",
        "ok",
        True,
        True,
        True,
        False,
        True,
        True,
        False,
        "h1",
    ]


async def test_requests_have_the_name_of_their_path_without_ids(target: Target) -> None:
    script = f"""
      const base = '{target.url}';
      export default function () {{
        http.get(base + '/users/1?x=2'); http.get(base + '/users/22');
        http.get(base + '/o/123e4567-e89b-12d3-a456-426614174000/items');
        http.get(base + '/anything', {{ name: 'mine' }});
      }}"""
    done = await run(script, workers=1, iterations=1)
    names = {endpoint.name: endpoint.count for endpoint in done.summary.endpoints}
    assert names == {
        f"GET {target.url}/users/:id": 2,
        f"GET {target.url}/o/:id/items": 1,
        "mine": 1,
    }


async def test_an_address_with_parts_that_vary_has_one_name(target: Target) -> None:
    script = f"""const base = '{target.url}';
      export default function () {{
        for (const id of ['a', 'b']) http.get(http.url`${{base}}/items/${{id}}`);
        http.post(http.url`${{base}}/redirect/${{0}}`, 'x');
        http.get(base + '/redirect/1', {{ name: 'all of it' }});
        http.get(base.replace('//', '//user:secret@') + '/private');
      }}"""
    done = await run(script, workers=1, iterations=1)
    names = {endpoint.name: endpoint.count for endpoint in done.summary.endpoints}
    assert names == {
        "GET ${}/items/${}": 2,
        "POST ${}/redirect/${}": 2,
        "all of it": 3,
        f"GET {target.url}/private": 1,
    }


async def test_letters_of_all_scripts_go_as_urls_have_them(base: str) -> None:
    body = """return [http.get(base + '/echo/ż ó?q=ł "x"').json().url, http.get(base.toUpperCase() + '/echo').status,
      http.get('http://żółć.invalid/').errorCode, http.get(base + '/echo ').json().url];"""
    assert await evaluate(body, head=base) == [
        "/echo/%C5%BC%20%C3%B3?q=%C5%82%20%22x%22",
        200,
        "ENOTFOUND",
        "/echo",
    ]


async def test_methods_are_kept_or_changed_by_redirects_as_by_browsers(base: str) -> None:
    body = """const seen = {};
      for (const status of [301, 302, 303, 307, 308]) for (const method of ['POST', 'PUT', 'HEAD']) {
        const res = http.request(method, `${base}/redirect/0?status=${status}&to=/echo`, method === 'HEAD' ? null : 'x');
        seen[status + method] = method === 'HEAD' ? res.status : res.json().method + res.json().body;
      } return seen;"""
    kept = {"HEAD": 200, "POST": "POSTx", "PUT": "PUTx"}
    expected = {f"{status}{method}": kept[method] for status in (307, 308) for method in kept}
    for status in (301, 302):
        expected |= {f"{status}HEAD": 200, f"{status}POST": "GET", f"{status}PUT": "PUTx"}
    expected |= {"303HEAD": 200, "303POST": "GET", "303PUT": "GET"}
    assert await evaluate(body, head=base) == expected


async def test_a_redirect_that_leads_nowhere_is_the_response(base: str) -> None:
    body = """return ['', 'ftp://host/', 'http://', 'javascript:1', 'http://[/'].map((to) =>
      http.get(base + '/redirect/0?to=' + encodeURIComponent(to) + (to === '' ? '&status=300' : '')).status);"""
    assert await evaluate(body, head=base) == [300, 302, 302, 302, 302]


async def test_a_request_may_be_one_object(base: str) -> None:
    body = """const seen = http.request({ method: 'post', url: base + '/echo', body: { a: 1 },
        headers: { 'X-A': 'b', 'X-None': undefined }, name: 'n', timeout: '1m30s', tags: { t: 1 } }).json();
      const names = Object.fromEntries(seen.headers);
      return [seen.method, seen.body, names['X-A'], 'X-None' in names, http.request({ url: base }).status,
        http.del(base + '/echo', 'body', {}).json().body, http.del(base + '/echo', { headers: { 'X-A': 'c' } }).json().body];"""
    assert await evaluate(body, head=base) == ["POST", "a=1", "b", False, 200, "body", ""]


async def test_a_path_leads_into_a_json_body(base: str) -> None:
    body = """const res = http.post(base + '/mirror', '{"a": [{"b": 0}, null], "": 1}');
      return [res.json('a.0.b'), res.json('a.1'), res.json('a.1.c') ?? 'none', res.json('a.length'), res.json('toString') ?? 'none', res.json(''),
        res.json().a.length];"""
    assert await evaluate(body, head=base) == [0, None, "none", 2, "none", 1, 2]


async def test_repeated_headers_are_joined(base: str) -> None:
    body = """const res = http.post(base + '/mirror?header=X-A:+1&header=x-a:+2&header=__proto__:+3&header=Empty:', '{"a": [], "n": null}');
      return [res.headers['X-A'], res.headers.Empty, res.hasHeader('x-a', '2'), res.hasHeader('X-B'),
        res.matchesSchema({ a: 'array' }), res.matchesSchema({ a: 'object' }), res.matchesSchema({ n: 'object' }), res.matchesSchema({ b: 'string' })];"""
    assert await evaluate(body, head=base) == ["1, 2", "", True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("http.get('/path')", "not an absolute URL"),
        ("http.get('ftp://host/')", "http:// or https://"),
        ("http.get(base, { headers: { 'a b': 'c' } })", "forbidden character"),
        ("http.get(base, { headers: { a: 'c\\r\\nd: e' } })", "forbidden character"),
        ("http.get(base, { timeout: 'soon' })", "timeout"),
        ("http.request('GET /x HTTP/1.1\\r\\nA:', base)", "the method"),
        ("http.get(base, { cookies: { a: 'b\\r\\nc' } })", "a cookie has a forbidden character"),
        ("http.get(base, { timeout: 0 })", "timeout is 0"),
        ("http.get(base, { timeout: NaN })", "timeout is null"),
        ("http.get(base, { maxRedirects: 'many' })", "maxRedirects"),
        ("http.batch(null)", "must be an array or an object"),
        ("http.addHook('toString', () => 1)", "beforeRequest"),
    ],
)
async def test_a_wrong_call_throws_with_the_reason(base: str, call: str, words: str) -> None:
    body = f"try {{ {call}; return 'nothing'; }} catch (error) {{ return error.message; }}"
    assert words in await evaluate(body, head=base)


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
async def test_odd_requests_go_out_or_throw_and_harm_nobody(base: str, driver: str) -> None:
    head = f"""{base} export const options = {{ http_driver: '{driver}', user_agent: 'żółw' }};"""
    body = """const url = base + '/echo'; const seen = [];
      const header = (res, name) => res.json().headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value).join('|');
      seen.push(header(http.get(url, { headers: { 'X-A': 'ż' } }), 'x-a'), header(http.get(url), 'user-agent'));
      seen.push(header(http.get(url, { headers: { 'X-A': '' } }), 'x-a'), header(http.get(url, { cookies: { c: 'ż' } }), 'cookie'));
      for (const timeout of [Infinity, 1e300, '9999999h', 86400001]) seen.push(http.get(url, { timeout }).status);
      seen.push(header(http.get(url, { headers: { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' } }), 'content-length'));
      seen.push(header(http.post(url, 'abc', { headers: { 'Content-Length': '5', 'transfer-encoding': 'chunked' } }), 'content-length'));
      seen.push(http.get(base + '/echo?' + 'q'.repeat(5000)).json().url.length, http.get(url, { headers: { 'X-A': 'v'.repeat(20000) } }).status);
      seen.push(http.request('POST', url).json().body, http.get(url, { name: 5, tags: { n: null, o: {} } }).status, http.get(url, { tags: 'x' }).status);
      seen.push(http.request({ method: 'get', url, headers: null, body: undefined, cookies: null, tags: null, timeout: null }).status);
      return seen;"""
    assert await evaluate(body, head=head) == [
        "ż", "żółw", "", "c=ż", 200, 200, 200, 200, "", "3", 5006, 200, "", 200, 200, 200
    ]  # fmt: skip
