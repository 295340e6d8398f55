"""Mail: by SMTP where a server is set, otherwise into files that the platform's owner can read."""

import logging
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib

from fusillade.errors import InternalError
from fusillade.private_files import write_private
from fusillade.settings import Settings

_log = logging.getLogger(__name__)
_SECONDS = 10.0


class Mailer(Protocol):
    """Takes a message on its way."""

    async def send(self, message: EmailMessage, link: str) -> None:
        """Send to the address in ``To``. ``link`` is what the recipient is to open.

        Raises :class:`InternalError` if the message was not accepted.
        """


def mailer(settings: Settings) -> Mailer:
    """The way that the settings choose."""
    if settings.smtp_host is None:
        return Files(settings.data_dir / "mail")
    return Smtp(settings)


class Smtp:
    """A mail server (RFC 5321)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, message: EmailMessage, link: str) -> None:
        """Hand the message to the server."""
        settings = self._settings
        try:
            await aiosmtplib.send(
                message,
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_username,
                password=settings.smtp_password,
                use_tls=settings.smtp_security == "tls",
                start_tls=settings.smtp_security == "starttls",
                timeout=_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            _log.error("mail by %s:%s: %s", settings.smtp_host, settings.smtp_port, error)
            raise InternalError(
                "The mail could not be sent: the mail server does not take it; try again later."
            ) from error


class Files:
    """One file a message, mode 0600; the log shows the link."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.expanduser()

    async def send(self, message: EmailMessage, link: str) -> None:
        """Write the message."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = self._directory / f"{now}-{secrets.token_hex(4)}.eml"
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, message.as_bytes())
        _log.warning(
            "no mail server is set: the mail to %s is in %s; its link: %s",
            message["To"],
            path,
            link,
        )
