"""Mail through a server, which a socket of this test plays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from fusillade.errors import InternalError
from fusillade.invitation_mail import compose
from fusillade.mail import mailer
from fusillade.settings import Settings


@asynccontextmanager
async def _server(received: list[str], *, refuse: bool = False) -> AsyncIterator[int]:
    """The port of a server that takes mails, or refuses each recipient."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        while line := (await reader.readline()).decode():
            received.append(line.rstrip())
            word = line.split()[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                while (line := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    received.append(line)
                writer.write(b"250 taken\r\n")
            elif word == "RCPT" and refuse:
                writer.write(b"550 nobody here\r\n")
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 mail.test\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _settings(port: int) -> Settings:
    return Settings(
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        mail_from="Fusillade <from@acme.test>",
        public_url="https://load.acme.test/",
    )


def _message(settings: Settings) -> EmailMessage:
    return compose(
        settings,
        to="ann@acme.test",
        organisation="Acme",
        inviter="Bob",
        role="admin",
        token="t0ken",
        expires_at=datetime(2026, 2, 6, 12, tzinfo=UTC),
    )


async def test_an_invitation_reaches_the_mail_server() -> None:
    received: list[str] = []
    async with _server(received) as port:
        settings = _settings(port)
        await mailer(settings).send(_message(settings), "")
    assert any(line.startswith("MAIL FROM:<from@acme.test>") for line in received)
    assert any(line.startswith("RCPT TO:<ann@acme.test>") for line in received)
    assert "    https://load.acme.test/invites/t0ken" in received
    assert any(
        "Bob invites you to join Acme on Fusillade, as an admin." in line for line in received
    )


async def test_a_mail_that_no_server_takes_is_an_error_of_one_sentence() -> None:
    async with _server([], refuse=True) as port:
        refusing = _settings(port)
        with pytest.raises(InternalError, match="the mail server does not take it"):
            await mailer(refusing).send(_message(refusing), "")
    with pytest.raises(InternalError, match="the mail server does not take it"):
        await mailer(refusing).send(_message(refusing), "")
