"""Where connections for webhooks go, whatever the URL and the name server say."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from dispatchers import attempt, sent
from receivers import Receiver

from fusillade.webhooks import sender
from fusillade.webhooks.sender import Sender

PUBLIC = "93.184.216.34"
ADDRESSES = {
    "127.0.0.1": "this machine itself",
    "127.8.8.8": "this machine itself",
    "0.0.0.0": "this machine itself",
    "::1": "this machine itself",
    "::": "this machine itself",
    "::ffff:127.0.0.1": "this machine itself",
    "::127.0.0.1": "this machine itself",
    "64:ff9b::7f00:1": "this machine itself",
    "2002:7f00:1::": "this machine itself",
    "10.1.2.3": "a private address",
    "172.31.255.255": "a private address",
    "192.168.0.1": "a private address",
    "100.64.0.1": "a private address",
    "198.18.0.1": "a private address",
    "fd00::1": "a private address",
    "fec0::1": "a private address",
    "::ffff:10.1.2.3": "a private address",
    "64:ff9b::a01:203": "a private address",
    "169.254.0.9": "a link-local address",
    "fe80::1%1": "a link-local address",
    "169.254.169.254": "a cloud's metadata",
    "::ffff:169.254.169.254": "a cloud's metadata",
    "64:ff9b::a9fe:a9fe": "a cloud's metadata",
    "fd00:ec2::254": "a cloud's metadata",
    "100.100.100.200": "a cloud's metadata",
    "168.63.129.16": "a cloud's metadata",
    "224.0.0.1": "an address that no host has",
    "255.255.255.255": "an address that no host has",
    "ff02::1": "an address that no host has",
    "192.0.2.1": "an address that no host has",
    "2001:db8::1": "an address that no host has",
}
NEVER = ("a link-local address", "a cloud's metadata", "an address that no host has")
HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "localhost",
    "LOCALHOST.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
]
"""Each of them a way to say this machine."""


class Network:
    """Name server and connections as a test wants them; nothing leaves this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked: list[str] = []
        self.connected: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", self._connect)

    def _resolve(self, host: str, port: int, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in answer
        ]

    async def _connect(self, connection: socket.socket, address: Any) -> None:
        self.connected.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize("allow_private", [False, True])
async def test_a_name_that_leads_to_a_closed_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, allow_private: bool
) -> None:
    async with Sender(connections=4, allow_private=allow_private) as sends:
        for address, words in ADDRESSES.items():
            # One of several is enough.
            for answer in ([address], [PUBLIC, address]):
                network = Network(monkeypatch, answer)
                outcome = await sends.send(attempt("https://hooks.example/"))
                if allow_private and words not in NEVER:
                    assert network.connected, address
                    continue
                assert outcome.error == (
                    f"The address is not allowed: it leads to {words}; webhooks go to public hosts "
                    "only."
                )
                assert network.connected == [], address


async def test_an_answer_that_changes_after_the_check_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Network(monkeypatch, [PUBLIC], ["127.0.0.1"])
    await sent("https://hooks.example/", allow_private=False)
    assert (network.asked, network.connected) == (["hooks.example"], [PUBLIC])
    # The next attempt asks anew and is told the truth.
    outcome = await sent("https://hooks.example/", allow_private=False)
    assert "this machine itself" in str(outcome.error)
    assert (len(network.asked), network.connected) == (2, [PUBLIC])


@pytest.mark.parametrize("looks_well", [False, True], ids=["as it is", "if the URL looked well"])
async def test_no_spelling_of_this_machine_gets_a_message(
    receiver: Receiver, trusted: Path, looks_well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if looks_well:
        monkeypatch.setattr(sender, "check_url", lambda url, *, allow_private: None)
    async with Sender(connections=4, ca_file=trusted) as sends:
        for host in HOSTS:
            outcome = await sends.send(attempt(receiver.url(host=host)))
            assert outcome.status is None, host
            assert outcome.error, host
    assert (receiver.requests, receiver.names) == ([], [])


async def test_a_webhook_that_was_allowed_once_is_looked_at_again(
    receiver: Receiver, trusted: Path
) -> None:
    assert (await sent(receiver.url(), trusted)).has_arrived
    outcome = await sent(receiver.url(), trusted, allow_private=False)
    assert "this machine itself" in str(outcome.error)
    assert len(receiver.requests) == 1


async def test_the_platforms_proxy_settings_are_not_asked(
    receiver: Receiver, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await sent(receiver.url(), trusted)).has_arrived
