"""What becomes of the cookies that servers and scripts set."""

import json
from typing import Any

import pytest
from scripts import evaluate
from target import Target

TOOLS = """
  const sent = (url, options) =>
    http.get(url, options).json().headers.filter(([name]) => name.toLowerCase() === 'cookie').map(([, value]) => value).join(' | ');
  const set = (...values) =>
    http.get(base + '/cookie?' + values.map((value) => 'set-cookie=' + encodeURIComponent(value)).join('&'));
"""


@pytest.fixture
def base(shared_target: Target) -> str:
    return f"const base = '{shared_target.url}';{TOOLS}"


KEPT: dict[str, str] = {
    "a=1": "a=1",
    "a=1; Path=/; HttpOnly; SameSite=Lax": "a=1",
    "a=b=c; Path=/": "a=b=c",
    "a=; path=/": "a=",
    'a="q"; Path=/': 'a="q"',
    "a=1; Path=/echo": "a=1",
    "a=1; Path=/ech": "",
    "a=1; Path=/echo/": "",
    "a=1; Path=nonsense": "a=1",
    "a=1; Path=/; Max-Age=60": "a=1",
    "a=1; Path=/; Max-Age=0": "",
    "a=1; Path=/; Max-Age=-5": "",
    "a=1; Path=/; Max-Age=": "a=1",
    "a=1; Path=/; Max-Age=soon": "a=1",
    "a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT": "a=1",
    "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60": "a=1",
    "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT": "",
    "a=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT": "",
    "a=1; Path=/; Expires=Fri, 31-Dec-2100 23:59:59 GMT": "a=1",
    "a=1; Path=/; Expires=some day": "a=1",
    "a=1; Path=/; Secure": "",
    "a=1; Path=/; Domain=": "a=1",
    "a=1; Path=/; Domain=127.0.0.1": "a=1",
    "a=1; Path=/; Domain=.0.0.1": "",
    "a=1; Path=/; Domain=example.com": "",
    "=1; Path=/": "",
    "novalue": "",
    "__proto__=1; Path=/": "__proto__=1",
}


async def test_a_cookie_is_sent_where_it_belongs_and_as_long_as_it_lasts(base: str) -> None:
    body = f"""const jar = http.cookieJar(); const seen = {{}};
      for (const header of {json.dumps(list(KEPT))}) {{
        jar.clear(); set(header); seen[header] = sent(base + '/echo');
      }} return seen;"""
    assert await evaluate(body, head=base) == KEPT


async def test_a_domain_reaches_its_subdomains_and_no_further(base: str) -> None:
    """Only the jar is asked: nothing goes to these hosts."""
    body = """const jar = http.cookieJar();
      jar.set('https://a.example.com/x', 'all', '1', { domain: 'example.com' });
      jar.set('https://a.example.com/x', 'own', '2');
      jar.set('https://a.example.com/x', 'safe', '3', { domain: '.Example.com', secure: true, path: '/deep' });
      const names = (url) => Object.keys(jar.cookiesForUrl(url)).join();
      const tried = ['com', 'b.example.com', 'ample.com'].map((domain) => {
        try { jar.set('https://a.example.com/', 'x', 'y', { domain }); return 'set'; } catch (error) { return error.message; } });
      return [names('http://a.example.com/'), names('http://b.a.example.com/'), names('http://example.com/'),
        names('https://b.example.com/deep/er'), names('http://notexample.com/'), names('http://b.example.com/deep'), tried];"""
    seen = await evaluate(body, head=base)
    assert seen[:-1] == ["all,own", "all", "all", "safe,all", "", "all"]
    assert all("cannot set a cookie for the domain" in message for message in seen[-1])


async def test_the_jar_is_read_and_changed(base: str) -> None:
    body = """const jar = http.cookieJar();
      set('a=1; Path=/', 'b=2; Path=/'); set('a=3; Path=/');
      const url = base + '/echo';
      const steps = [sent(url), jar.get(url, 'a'), jar.get(url, 'none'), jar.get(url)];
      jar.delete(url, 'a'); steps.push(sent(url));
      jar.set(url, 'c', '4', { expires: new Date(Date.now() + 60000) });
      jar.set(url, 'd', '5', { expires: 'Thu, 01 Jan 1970 00:00:00 GMT' });
      jar.set(url, 'e', '6', { max_age: 60 }); jar.set(url, 'f', '7', { maxAge: -1 }); jar.set(url, 'constructor', 8);
      steps.push(sent(url), jar.cookiesForUrl(url).constructor);
      jar.clear('http://other.example/'); steps.push(sent(url) !== '');
      jar.clear(url); steps.push(sent(url));
      for (const call of [() => jar.get('nowhere'), () => jar.set(url, 'a', 'b', { expires: 'never' })])
        try { call(); } catch (error) { steps.push(error.message); }
      return steps;"""
    assert await evaluate(body, head=base) == [
        "a=3; b=2",
        "3",
        None,
        {"a": ["3"], "b": ["2"]},
        "b=2",
        "b=2; c=4; e=6; constructor=8",
        ["8"],
        True,
        "",
        'cookieJar: "nowhere" is not an absolute URL',
        "cookieJar: expires is never, which is no date",
    ]


async def test_a_request_has_cookies_of_its_own_besides_those_of_the_jar(base: str) -> None:
    body = """set('a=1; Path=/', 'b=2; Path=/'); const url = base + '/echo';
      return [sent(url, { cookies: { a: 'x', c: 'y' } }), sent(url, { cookies: { a: { value: 'x', replace: true } } }),
        sent(url, { headers: { cookie: 'q=r' } }), sent(url),
        http.get(base + '/redirect/0?to=/echo', { cookies: { z: 1 } }).json().headers.filter(([n]) => n === 'Cookie')[0][1]];"""
    assert await evaluate(body, head=base) == [
        "a=x; c=y; a=1; b=2",
        "a=x; b=2",
        "q=r; a=1; b=2",
        "a=1; b=2",
        "z=1; a=1; b=2",
    ]


async def test_secrets_do_not_follow_a_redirect_to_another_origin(
    base: str, target: Target
) -> None:
    away = f"encodeURIComponent('{target.url}/echo')"
    body = f"""const options = {{ cookies: {{ z: 1 }}, headers: {{ Authorization: 'x', 'X-Other': 'y', cookie: 'q=r' }} }};
      const names = (to) => http.get(base + '/redirect/0?to=' + to, options).json().headers.map(([name]) => name);
      const secret = (list) => list.filter((name) => /^(authorization|cookie|x-other)$/i.test(name)).sort();
      return [secret(names('/echo')), secret(names({away}))];"""
    assert await evaluate(body, head=base) == [["Authorization", "Cookie", "X-Other"], ["X-Other"]]


async def test_a_response_tells_what_it_has_set(base: str) -> None:
    body = """const res = set('a=1; Path=/p=q; Domain=127.0.0.1; Max-Age=60; HttpOnly; Secure; Expires=Thu, 01 Jan 1970 00:00:01 GMT',
        'a=2', '__proto__=3', 'constructor=4');
      return [res.cookies.a, Object.keys(res.cookies), res.cookies.constructor[0].value];"""
    bare: dict[str, Any] = {
        "name": "a",
        "value": "2",
        "domain": "",
        "path": "",
        "expires": 0,
        "max_age": 0,
        "secure": False,
        "http_only": False,
    }
    whole = {
        "value": "1",
        "domain": "127.0.0.1",
        "path": "/p=q",
        "expires": 1000,
        "max_age": 60,
        "secure": True,
        "http_only": True,
    }
    assert await evaluate(body, head=base) == [
        [bare | whole, bare],
        ["a", "__proto__", "constructor"],
        "4",
    ]


async def test_a_cookie_set_on_the_way_is_sent_from_the_next_hop_on(base: str) -> None:
    body = """const to = '/cookie?status=302&to=/echo&set-cookie=' + encodeURIComponent('hop=1; Path=/');
      return sent(base + to);"""
    assert await evaluate(body, head=base) == "hop=1"
