"""The mail that invites somebody into an organisation."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from fusillade.settings import Settings

_TEXT = """\
{inviter} invites you to join {organisation} on Fusillade, as {role}.

Open this link and choose your name and password:

    {link}

It works once, until {expires} UTC. If you did not expect it, do nothing.

From a terminal:

    curl -X POST {base}/api/v1/invites/{token}/accept \\
      -H "Content-Type: application/json" \\
      -d '{{"name": "...", "password": "..."}}'
"""


def link_of(settings: Settings, token: str) -> str:
    """What the invited person opens."""
    return f"{settings.base_url}/invites/{token}"


def compose(
    settings: Settings,
    *,
    to: str,
    organisation: str,
    inviter: str,
    role: str,
    token: str,
    expires_at: datetime,
) -> EmailMessage:
    """The message, ready to be sent."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = " ".join(f"Join {organisation} on Fusillade".split())  # one line
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="fusillade.invalid")
    message.set_content(
        _TEXT.format(
            inviter=inviter,
            organisation=organisation,
            role=f"an {role}" if role[0] in "ao" else f"a {role}",
            link=link_of(settings, token),
            expires=expires_at.strftime("%Y-%m-%d %H:%M"),
            base=settings.base_url,
            token=token,
        )
    )
    return message
