"""Requests to where a test may not send: refused at the name, and at the address."""

import json
import socket
from typing import Any

import pytest
from scripts import as_files
from target import Target

from fusillade.blocklist import Rules
from fusillade.hosting.script_host import ScriptHost


async def _answers(body: str, blocked: Rules, options: str = "") -> Any:
    source = (
        f"export const options = {{ {options} }};\n"
        f"export function setup() {{ {body} }}\nexport default function () {{}}"
    )
    async with ScriptHost() as host:
        await host.load(as_files(source), "script.js", blocked=blocked)
        return json.loads(await host.setup())


_SHOW = "const show = (r) => [r.status, r.error, r.errorCode];"
_BLOCKED = [0, "BLOCKED", "EBLOCKED"]


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
async def test_a_blocked_name_address_or_redirect_is_an_error_and_never_reached(
    target: Target, driver: str
) -> None:
    port = target.url.rpartition(":")[2]
    found = await _answers(
        f"""{_SHOW} return [
          show(http.get('{target.url}/')),
          show(http.get('http://api.blocked.example/')),
          show(http.get('http://169.254.169.254/latest/meta-data')),
          show(http.get('http://[::ffff:169.254.169.254]/')),
          show(http.get('{target.url}/status/200')),
          show(http.get('http://127.0.0.2:{port}/counted-not')),
        ];""",
        Rules(domains=("blocked.example",), networks=("127.0.0.2/32",)),
        f"http_driver: '{driver}'",
    )
    ok = [200, None, None]
    assert found == [ok, _BLOCKED, _BLOCKED, _BLOCKED, ok, _BLOCKED]
    assert target.counted()["requests"] == 2


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
async def test_a_name_that_leads_to_a_blocked_address_is_not_connected_to(
    target: Target, driver: str
) -> None:
    addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", 80)}
    port = target.url.rpartition(":")[2]
    networks = tuple(f"{address}/{128 if ':' in str(address) else 32}" for address in addresses)
    found = await _answers(
        f"{_SHOW} return show(http.get('http://localhost:{port}/'));",
        Rules(networks=networks),
        f"http_driver: '{driver}'",
    )
    assert found == _BLOCKED
    assert target.counted()["requests"] == 0


@pytest.mark.parametrize("driver", ["sockets", "libcurl"])
async def test_a_redirect_to_where_tests_may_not_send_is_not_followed(
    target: Target, driver: str
) -> None:
    port = target.url.rpartition(":")[2]
    url = f"{target.url}/redirect/0?to="
    found = await _answers(
        f"""{_SHOW} return [
          show(http.get('{url}http://api.blocked.example/')),
          show(http.get('{url}http://169.254.169.254/')),
          show(http.get('{url}http://127.0.0.2:{port}/')),
        ];""",
        Rules(domains=("blocked.example",), networks=("127.0.0.2/32",)),
        f"http_driver: '{driver}'",
    )
    assert found == [_BLOCKED] * 3
    assert target.counted()["requests"] == 3


async def test_sockets_and_streams_reach_no_blocked_name_or_redirect(target: Target) -> None:
    port = target.url.rpartition(":")[2]
    found = await _answers(
        f"""return [
          ws.connect('ws://localhost:{port}/').errorCode,
          sse.connect('http://localhost:{port}/').errorCode,
          sse.connect('{target.url}/redirect/0?to=http://localhost:{port}/').errorCode,
          sse.connect('{target.url}/redirect/0?to=http://169.254.169.254/').errorCode,
        ];""",
        Rules(domains=("localhost",)),
    )
    assert found == ["EBLOCKED"] * 4
    assert target.counted()["requests"] == 2


async def test_sockets_and_streams_are_blocked_as_requests_are(target: Target) -> None:
    url = target.url
    found = await _answers(
        f"""const one = ws.connect('{url.replace("http", "ws")}/'); const two = sse.connect('{url}/');
        return [one.isConnected(), one.errorCode, two.errorCode];""",
        Rules(private=True),
    )
    assert found == [False, "EBLOCKED", "EBLOCKED"]
    assert target.counted()["requests"] == 0
