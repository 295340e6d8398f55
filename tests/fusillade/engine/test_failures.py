"""Requests that fail leave a sample: what was sent and what came back, without secrets."""

import json

import msgspec
from scripts import Run, run
from target import Target

from fusillade.engine.share import Share
from fusillade.failures.masking import MASK
from fusillade.failures.record import FailedRequest


def _of(done: Run) -> dict[str, FailedRequest]:
    """By reason, the first of each."""
    found: dict[str, FailedRequest] = {}
    for record in done.aggregate.failures.records:
        found.setdefault(record.reason, record)
    return found


async def test_a_failed_request_is_kept_with_its_request_its_response_and_its_timings(
    target: Target,
) -> None:
    done = await run(
        """
        export default function () {
          http.post(__ENV.URL + '/status/503?page=2', JSON.stringify({ item: 7 }), {
            headers: { 'Content-Type': 'application/json', 'X-Trace': 'abc' },
          });
          group('shop', () => http.get(__ENV.URL + '/close', { name: 'the end' }));
          http.get(__ENV.URL + '/status/200');
        }
        """,
        env={"URL": target.url},
        iterations=1,
    )
    found = _of(done)
    assert set(found) == {"status 503", "ECONNRESET"}
    answered = found["status 503"]
    assert answered.name == f"POST {target.url}/status/:id"
    assert (answered.scenario, answered.group, answered.worker) == ("default", "", 1)
    assert answered.request.method == "POST"
    assert answered.request.url == f"{target.url}/status/503?page=2"
    sent = {header.name: header.value for header in answered.request.headers}
    assert sent == {"Content-Type": "application/json", "X-Trace": "abc"}
    assert answered.request.body is not None
    assert answered.request.body.text == '{"item":7}'
    assert answered.response is not None
    assert answered.response.body.text == '{"status":"ok"}'
    assert ("Content-Length", "15") in [(one.name, one.value) for one in answered.response.headers]
    assert answered.timings_ms.duration > 0
    broken = found["ECONNRESET"]
    assert (broken.name, broken.group, broken.response) == ("the end", "shop", None)
    assert broken.request.body is None


async def test_a_failed_check_tells_of_the_response_that_it_looked_at(target: Target) -> None:
    done = await run(
        """
        export default function () {
          const good = http.post(__ENV.URL + '/mirror', 'what was sent');
          const bad = http.get(__ENV.URL + '/status/404');
          check(good, { 'it is good': (r) => r.status === 200, 'it is better': () => false });
          check(good, { 'it is best': () => false });
          check(bad, { 'it is there': (r) => r.status === 200 });
          check(good.body, { 'a text': () => false });
          check(null, { 'nothing': () => false });
        }
        """,
        env={"URL": target.url},
        iterations=1,
    )
    found = _of(done)
    assert set(found) == {"check: it is better", "status 404"}
    record = found["check: it is better"]
    assert record.request.body is not None
    assert record.response is not None
    assert (record.request.body.text, record.response.body.text) == ("what was sent",) * 2


async def test_there_are_a_few_of_each_kind_and_not_more_than_a_sample_holds(
    target: Target,
) -> None:
    done = await run(
        """
        export default function () {
          for (let i = 0; i < 20; i++) http.get(__ENV.URL + '/status/500');
          for (let i = 0; i < 40; i++) {
            for (let j = 0; j < 6; j++) http.get(__ENV.URL + '/status/404', { name: `page ${i}` });
          }
        }
        """,
        env={"URL": target.url},
        iterations=1,
    )
    reasons = [(record.name, record.reason) for record in done.aggregate.failures.records]
    assert len(reasons) == 100
    assert max(map(reasons.count, reasons)) == 5
    assert done.summary.failed_requests == 260
    small = await run(
        "export default () => { for (let i = 0; i < 60; i++) "
        "http.get(__ENV.URL + '/status/404', { name: `page ${i}` }); }",
        env={"URL": target.url},
        share=Share(0, 1, 50),
        iterations=1,
        workers=50,
    )
    assert len(small.aggregate.failures.records) == 10


async def test_no_secret_leaves_the_host(target: Target) -> None:
    done = await run(
        """
        export default function () {
          http.get(__ENV.URL + '/cookie?set-cookie=session%3Djar-secret');
          const query = '?api_key=query-secret&header=Set-Cookie:%20sid%3Dset-secret;%20Path=/';
          const body = { user: { name: 'ada', password: 'json-secret', pin: 4711 },
                         note: 'env-secret header-secret' };
          const url = __ENV.URL.replace('//', '//ada:user-secret@') + '/mirror' + query;
          const first = http.post(url, JSON.stringify(body), {
            headers: { Authorization: 'Bearer header-secret', 'x-api-key': 'key-secret' },
            cookies: { a: 'own-secret' },
          });
          check(first, { 'first': () => false });
          const form = http.post(__ENV.URL + '/mirror', { token: 'form-secret', page: 3 });
          check(form, { 'form': () => false });
        }
        """,
        env={"URL": target.url, "MY_TOKEN": "env-secret"},
        iterations=1,
    )
    found = _of(done)
    everything = msgspec.json.encode(done.aggregate.failures.records).decode()
    assert "-secret" not in everything
    assert "4711" not in everything
    first = found["check: first"]
    sent = {header.name: header.value for header in first.request.headers}
    assert sent["Authorization"] == f"Bearer {MASK}"
    assert sent["x-api-key"] == sent["Cookie"] == MASK
    assert f"//ada:{MASK}@" in first.request.url
    assert f"api_key={MASK}&header=" in first.request.url
    assert first.response is not None
    received = {header.name: header.value for header in first.response.headers}
    assert received["Set-Cookie"] == f"sid={MASK}; Path=/"
    for body in (first.request.body, first.response.body):
        assert body is not None
        assert json.loads(body.text) == {
            "user": {"name": "ada", "password": MASK, "pin": MASK},
            "note": f"{MASK} {MASK}",
        }
    form = found["check: form"].request.body
    assert form is not None
    assert form.text == f"token={MASK}&page=3"


async def test_long_and_binary_bodies_are_cut_and_said_to_be(target: Target) -> None:
    done = await run(
        """
        export default function () {
          const sent = '{"list":[' + '"ż",'.repeat(3000) + '1],"password":"behind the cut"}';
          check(http.post(__ENV.URL + '/mirror', sent), { 'long': () => false });
          const bytes = new Uint8Array([0, 255, 1, 254]).buffer;
          check(http.post(__ENV.URL + '/mirror', bytes), { 'binary': () => false });
        }
        """,
        env={"URL": target.url},
        iterations=1,
    )
    found = _of(done)
    for record in (found["check: long"], found["check: binary"]):
        assert record.response is not None
        for body in (record.request.body, record.response.body):
            assert body is not None
            assert not body.whole
            assert len(body.text) <= 2048
    long = found["check: long"].request.body
    assert long is not None
    assert long.size_bytes == len(
        ('{"list":[' + '"ż",' * 3000 + '1],"password":"behind the cut"}').encode()
    )
    assert set(long.text[9:]) == set('"ż,')


async def test_what_a_script_does_to_a_response_or_the_language_does_not_harm_the_sample(
    target: Target,
) -> None:
    done = await run(
        """
        WeakSet.prototype.has = WeakSet.prototype.add = () => { throw new Error('mine'); };
        export default function () {
          const res = http.get(__ENV.URL + '/bytes/3');
          res.timings.duration = 'mine';
          check(res, { 'changed': () => false });
          const other = http.get(__ENV.URL + '/bytes/3');
          other.status = { valueOf: () => 200, toString: () => 'mine' };
          check(other, { 'no status': () => false });
          check(new Proxy(res, {}), { 'a proxy': () => false });
          check({ __proto__: res }, { 'an heir': () => false });
        }
        """,
        env={"URL": target.url},
        iterations=1,
    )
    (record,) = done.aggregate.failures.records
    assert (record.reason, record.timings_ms.duration) == ("check: changed", 0)
    assert "mine" not in msgspec.json.encode(record).decode()
    assert done.summary.iterations == 1
    assert done.summary.failed_iterations == 0
