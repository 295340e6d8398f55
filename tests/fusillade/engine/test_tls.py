"""HTTPS as drivers and scripts see it, over HTTP/1.1 and HTTP/2."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import trustme
from driver_bench import DRIVERS, Bench, make_bench
from scripts import as_files, evaluate, run
from secure_target import SecureTarget, authority_pem, secure_target, server_context
from target import Target

from fusillade.hosting.script_host import ScriptHost, ScriptRejected

BOTH = ("h2", "http/1.1")
# What a server offers, and the protocol that follows from it.
OFFERS = {"h2": BOTH, "h1": ("http/1.1",), "h1 without ALPN": ()}
NUMBERS = {"h2": 20, "h1": 11}


@pytest.fixture(params=DRIVERS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    started = make_bench(request.param)
    yield started
    started.driver.close()


@pytest.mark.parametrize("offer", OFFERS)
async def test_the_handshake_is_measured_once_and_names_the_server(
    bench: Bench, offer: str
) -> None:
    async with secure_target(server_context(OFFERS[offer])) as target:
        seen = [await bench.send(f"{target.url}/bytes/5") for _ in range(3)]
    assert [(one.status, one.body) for one in seen] == [(200, b"xxxxx")] * 3
    assert [one.row["reused"] for one in seen] == [0, 1, 1]
    assert [one.row["tls_handshaking"] > 0 for one in seen] == [True, False, False]
    assert [one.row["connecting"] > 0 for one in seen] == [True, False, False]
    assert (target.connections, target.names) == (1, ["localhost"])


@pytest.mark.parametrize("offer", ["h2", "h1"])
async def test_bodies_arrive_whole_in_both_directions(bench: Bench, offer: str) -> None:
    content = bytes(range(256)) * 150
    async with secure_target(server_context(OFFERS[offer])) as target:
        seen = await bench.send(f"{target.url}/mirror", method="POST", body=content)
        empty = await bench.send(f"{target.url}/mirror", method="PUT")
        head = await bench.send(f"{target.url}/bytes/9", method="HEAD")
    assert (seen.status, seen.body) == (200, content)
    assert seen.row["bytes_sent"] > len(content) < seen.row["bytes_received"]
    assert [(one.status, one.body) for one in (empty, head)] == [(200, b"")] * 2


@pytest.mark.parametrize("offer", ["h2", "h1"])
async def test_a_timeout_is_one_also_over_tls(bench: Bench, offer: str) -> None:
    async with secure_target(server_context(OFFERS[offer])) as target:
        late = await bench.send(f"{target.url}/delay/60000", timeout_ms=200)
        after = await bench.send(f"{target.url}/bytes/1")
    assert (late.status, late.error) == (0, "ETIMEDOUT")
    assert (after.status, after.body) == (200, b"x")


@pytest.mark.parametrize("offer", ["h2", "h1"])
async def test_a_connection_that_died_while_idle_costs_no_error(bench: Bench, offer: str) -> None:
    async with secure_target(server_context(OFFERS[offer])) as target:
        await bench.send(target.url)
        target.close_connections()
        await asyncio.sleep(0.1)
        seen = await bench.send(target.url)
    assert (seen.status, seen.row["reused"], target.connections) == (200, 0, 2)


@pytest.mark.parametrize("offer", ["h2", "h1"])
async def test_a_server_that_closes_instead_of_answering_is_an_error_after_one_more_try(
    bench: Bench, offer: str
) -> None:
    async with secure_target(server_context(OFFERS[offer])) as target:
        await bench.send(target.url)
        seen = await bench.send(f"{target.url}/close")
        assert (seen.status, target.connections) == (0, 2)
        # libcurl does not tell it from frames that make no sense.
        assert seen.error in ("ECONNRESET", "ENETWORK")
        assert (await bench.send(target.url)).status == 200


WRONG: dict[str, dict[str, Any]] = {
    "signed by a stranger": {"signed_by": trustme.CA()},
    "for somebody else": {"identities": ["elsewhere.example"]},
    "out of date": {"expires": datetime(2001, 1, 1)},
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_certificate_is_an_error_unless_none_is_asked_for(
    bench: Bench, request: pytest.FixtureRequest, name: str
) -> None:
    careless = make_bench(request.node.callspec.params["bench"], verify=False)
    async with secure_target(server_context(BOTH, **WRONG[name])) as target:
        seen = await bench.send(target.url)
        accepted = await careless.send(target.url)
    careless.driver.close()
    assert (seen.status, seen.error, seen.row["bytes_sent"]) == (0, "ECERT", 0)
    assert accepted.status == 200


async def _answers_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


@pytest.mark.parametrize("handle", [_answers_nonsense, _closes])
async def test_a_server_that_does_not_speak_tls_is_an_error_of_tls(
    bench: Bench, handle: Any
) -> None:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        seen = await bench.send(f"https://127.0.0.1:{port}/")
    assert (seen.status, seen.error) == (0, "ECERT")
    assert seen.row["connecting"] > 0


async def test_a_server_that_never_answers_the_handshake_runs_into_the_timeout(
    bench: Bench,
) -> None:
    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(waits, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        seen = await bench.send(f"https://127.0.0.1:{port}/", timeout_ms=200)
    assert (seen.status, seen.error) == (0, "ETIMEDOUT")


# ---- scripts -------------------------------------------------------------------------------------


def trusting(target: SecureTarget, more: str = "") -> str:
    """The head of a script that trusts the target's authority."""
    return (
        f"const base = '{target.url}';"
        f"export const options = {{ caCertificates: open('ca.pem'), {more} }};"
    )


FILES = {"ca.pem": authority_pem()}


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
@pytest.mark.parametrize("offer", OFFERS)
async def test_proto_tells_what_the_server_has_chosen(offer: str, driver: str) -> None:
    body = """const first = http.get(base + '/echo'), second = http.post(base + '/echo', 'żółć');
      return [first.proto, first.status, first.timings.tls_handshaking > 0, second.timings.tls_handshaking, second.json().body,
        second.headers['Content-Type']];"""
    async with secure_target(server_context(OFFERS[offer])) as target:
        head = trusting(target, f"http_driver: '{driver}'")
        seen = await evaluate(body, head=head, files=FILES)
    assert seen == [offer[:2], 200, True, 0, "żółć", "application/json"]


async def test_errors_of_tls_have_their_name_and_can_be_switched_off() -> None:
    body = "const res = http.get(base + '/'); return [res.status, res.error, res.errorCode, res.proto === null];"
    context = server_context(BOTH, signed_by=trustme.CA())
    async with secure_target(context) as target:
        strict = await evaluate(body, head=trusting(target), files=FILES)
        careless = await evaluate(body, head=trusting(target, "insecure: true"), files=FILES)
    assert strict[:3] == [0, "TLS", "ECERT"]
    assert careless == [200, None, None, False]


async def test_redirects_lead_from_http_to_https_and_back(shared_target: Target) -> None:
    plain = shared_target.url
    async with secure_target(server_context(BOTH)) as target:
        body = f"""const to = (from, url) => http.get(from + '/redirect/0?to=' + encodeURIComponent(url));
          return [to('{plain}', base + '/echo'), to(base, '{plain}/echo')].map((res) => [res.status, res.proto, res.url]);"""
        seen = await evaluate(body, head=trusting(target), files=FILES)
        assert seen == [[200, "h2", f"{target.url}/echo"], [200, "h1", f"{plain}/echo"]]


async def test_secure_cookies_go_over_tls_alone(shared_target: Target) -> None:
    plain = shared_target.url.replace("127.0.0.1", "localhost")
    async with secure_target(server_context(BOTH)) as target:
        body = f"""const sent = (url) => Object.fromEntries(http.get(url + '/echo').json().headers.map(([name, value]) => [name.toLowerCase(), value])).cookie ?? '';
          const set = (value) => http.get(base + '/cookie?set-cookie=' + encodeURIComponent(value));
          set('safe=1; Path=/; Secure'); set('open=2; Path=/');
          return [sent(base), sent('{plain}')];"""
        assert await evaluate(body, head=trusting(target), files=FILES) == [
            "safe=1; open=2",
            "open=2",
        ]


async def test_many_requests_at_once_share_one_http2_connection() -> None:
    async with secure_target(server_context(BOTH)) as target:
        script = f"""{trusting(target)}
          export default function () {{
            http.get(base + '/'); const all = http.batch(Array.from({{ length: 20 }}, (_, i) => base + '/bytes/' + i));
            check(all, {{ own: (list) => list.every((res, i) => res.status === 200 && res.body.length === i) }}); }}"""
        done = await run(script, files=FILES, workers=5, iterations=2)
        assert target.connections == 1
    assert done.summary.total_requests == 5 * 2 * 21
    assert (done.summary.checks[0].passes, done.summary.checks[0].fails) == (10, 0)


@pytest.mark.parametrize(
    ("option", "connections"), [("noConnectionReuse", 4), ("noVUConnectionReuse", 2)]
)
@pytest.mark.parametrize("offer", ["h2", "h1"])
async def test_connections_are_not_shared_where_that_is_asked_for(
    offer: str, option: str, connections: int
) -> None:
    async with secure_target(server_context(OFFERS[offer])) as target:
        script = f"""{trusting(target, f"{option}: true")}
          export default function () {{ for (let i = 0; i < 2; i++) http.get(base + '/'); }}"""
        done = await run(script, files=FILES, workers=1, iterations=2)
        assert target.connections == connections
    assert done.summary.status_codes == {"200": 4}
    assert done.summary.new_connections == connections


async def test_what_is_no_certificate_is_a_mistake_in_the_options() -> None:
    source = f"export const options = {{ ca_certificates: {json.dumps('no')} }}; export default () => {{}};"
    async with ScriptHost() as host:
        with pytest.raises(ScriptRejected, match="ca_certificates: must be certificates in PEM"):
            await host.load(as_files(source), "script.js")
