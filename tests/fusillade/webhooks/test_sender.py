"""One attempt: what a receiver gets, and what is said of what went wrong."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import trustme
from dispatchers import BODY, attempt, sent
from receivers import Receiver, Reply, eventually, running_receiver
from secure_target import server_context

from fusillade.webhooks.sender import Sender


async def test_a_message_arrives_signed_and_with_its_id(receiver: Receiver, trusted: Path) -> None:
    outcome = await sent(receiver.url("/a%20b/hook?x=1%262"), trusted)
    assert (outcome.status, outcome.body, outcome.error) == (200, "thanks", None)
    assert outcome.has_arrived
    assert outcome.duration_ms >= 0
    (received,) = receiver.requests
    assert received.body == BODY
    assert received.signed_by("whsec_new", "whsec_old") == [0, 1]
    assert received.headers["X-Fusillade-Signature"].startswith("t=1770379200,v1=")
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["Host"] == f"localhost:{receiver.port}"
    assert received.delivery_id == str(UUID(int=7))
    assert received.headers["X-Fusillade-Event"] == "test.ready"
    assert receiver.names == ["localhost"]


@pytest.mark.parametrize("status", [199 + 1, 204, 299, 400, 404, 410, 429, 500, 503])
async def test_only_a_success_has_arrived(receiver: Receiver, trusted: Path, status: int) -> None:
    receiver.answer = lambda received: Reply(status, b"")
    outcome = await sent(receiver.url(), trusted)
    assert (outcome.status, outcome.error) == (status, None)
    assert outcome.has_arrived == (status < 300)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, trusted: Path, status: int) -> None:
    receiver.answer = lambda received: Reply(status, b"", {"Location": receiver.url("/other")})
    outcome = await sent(receiver.url(), trusted)
    assert (outcome.status, outcome.has_arrived) == (status, False)
    assert outcome.error == "The answer is a redirect; redirects are not followed."
    assert [one.path for one in receiver.requests] == ["/hook"]


async def test_the_first_kilobyte_of_an_answer_is_kept_as_it_came(
    receiver: Receiver, trusted: Path
) -> None:
    receiver.answer = lambda received: Reply(200, "ż".encode() * 100_000)
    outcome = await sent(receiver.url(), trusted)
    assert outcome.body == "ż" * 512
    packed = gzip.compress(b"0" * 10_000_000)
    receiver.answer = lambda received: Reply(200, packed, {"Content-Encoding": "gzip"})
    outcome = await sent(receiver.url(), trusted)
    assert outcome.has_arrived
    assert outcome.body == packed[:1024].decode(errors="replace")


async def test_a_receiver_that_does_not_answer_is_given_up_after_the_limit(
    receiver: Receiver, trusted: Path
) -> None:
    never = threading.Event()
    receiver.answer = lambda received: Reply(after=never)
    outcome = await sent(receiver.url(), trusted, limit_seconds=0.2)
    never.set()
    assert (outcome.status, outcome.body) == (None, None)
    assert outcome.error == "There was no answer within 0.2 s."


async def test_wrong_certificates_are_refused_with_the_reason(trusted: Path) -> None:
    contexts = {
        "unable to get local issuer": server_context(signed_by=trustme.CA()),
        "Hostname mismatch": server_context(identities=["elsewhere.example"]),
        "expired": server_context(expires=datetime(2020, 1, 1)),
    }
    for words, context in contexts.items():
        with running_receiver(context) as receiver:
            outcome = await sent(receiver.url(), trusted)
        assert outcome.error is not None
        assert outcome.error.startswith("The host's certificate is not valid: ")
        assert words in outcome.error
        assert receiver.requests == []


async def test_no_certificate_is_trusted_but_those_of_the_system_without_a_setting(
    receiver: Receiver,
) -> None:
    outcome = await sent(receiver.url())
    assert str(outcome.error).startswith("The host's certificate is not valid: ")


@contextlib.asynccontextmanager
async def server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], tls: ssl.SSLContext | None
) -> AsyncIterator[str]:
    """Something that is no proper receiver; its URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await talk(reader, writer)
            writer.close()
            await writer.wait_closed()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield f"https://localhost:{listening.sockets[0].getsockname()[1]}/"


async def test_an_answer_whose_body_breaks_off_has_arrived(trusted: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with server(talk, server_context()) as url:
        outcome = await sent(url, trusted)
    assert (outcome.status, outcome.body, outcome.error) == (200, "half", None)


async def test_what_is_no_receiver_is_told_from_one(trusted: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}}")

    async def speak_ftp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}}")
        writer.write(b"220 ready\r\n\r\n")
        await writer.drain()

    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    for talk, tls, words in (
        (hang_up, server_context(), "closed before an answer came"),
        (speak_ftp, server_context(), "not HTTP"),
        (speak_plainly, None, "does not speak HTTPS"),
    ):
        async with server(talk, tls) as url:
            outcome = await sent(url, trusted)
        assert outcome.status is None
        assert words in str(outcome.error)


async def test_a_port_on_which_nobody_listens_is_told(trusted: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await sent(f"https://localhost:{taken.getsockname()[1]}/", trusted)
    assert str(outcome.error).startswith("The connection failed: ")


async def test_a_name_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert (await sent("https://gone.example/")).error == "The name of the host cannot be found."


async def test_a_slow_name_server_holds_up_no_other_message(
    receiver: Receiver, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    ask = socket.getaddrinfo

    def slow(host: Any, *arguments: Any, **more: Any) -> Any:
        if host == "slow.example":
            asked.set()
            go_on.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return ask(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    async with Sender(connections=2, allow_private=True, ca_file=trusted) as sender:
        waiting = asyncio.create_task(sender.send(attempt("https://slow.example/")))
        await eventually(asked.is_set)
        assert (await sender.send(attempt(receiver.url()))).has_arrived
        go_on.set()
        assert (await waiting).error == "The name of the host cannot be found."
