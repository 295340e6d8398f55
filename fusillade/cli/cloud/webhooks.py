"""``fusillade webhooks``: whom to tell of tests."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Cursor, Json, Limit, session
from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from rich.console import Console

webhooks = typer.Typer(name="webhooks", no_args_is_help=True, help="Whom to tell of tests.")

_PATH = "/api/v1/webhooks"
Id = Annotated[str, typer.Argument(metavar="ID")]
Events = Annotated[
    list[str] | None, typer.Option("--event", help="Such as test.completed; repeatable.")
]


@webhooks.command("list")
def list_webhooks(limit: Limit = 20, cursor: Cursor = None, as_json: Json = False) -> None:
    """List webhooks, newest first."""
    with session(as_json) as here:
        here.show(here.server.get(_PATH, {"limit": limit, "cursor": cursor}), _list)


@webhooks.command()
def create(
    url: Annotated[str, typer.Argument(help="An https address.")],
    event: Events = None,
    as_json: Json = False,
) -> None:
    """Create a webhook. Its secret is shown this once."""
    if not event:
        raise ValidationFailed(
            "Say of what to tell: --event test.completed, and as many more as you like."
        )
    with session(as_json) as here:
        here.show(here.server.post(_PATH, {"url": url, "events": event}), _one)


@webhooks.command()
def update(
    webhook_id: Id,
    url: Annotated[str | None, typer.Option(help="Another address.")] = None,
    event: Events = None,
    active: Annotated[
        bool | None, typer.Option("--on/--off", help="Switch it on or off.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Change address or events, or switch a webhook on or off."""
    given = {"url": url, "events": event, "active": active}
    body = {name: value for name, value in given.items() if value is not None}
    with session(as_json) as here:
        here.show(here.server.call("PATCH", f"{_PATH}/{part(webhook_id)}", body=body), _one)


@webhooks.command()
def delete(webhook_id: Id, as_json: Json = False) -> None:
    """Delete a webhook with its deliveries."""
    with session(as_json) as here:
        answer = here.server.call("DELETE", f"{_PATH}/{part(webhook_id)}")
        here.show(answer, lambda console, _: console.print("Deleted."))


@webhooks.command()
def deliveries(
    webhook_id: Id, limit: Limit = 20, cursor: Cursor = None, as_json: Json = False
) -> None:
    """List what was sent to a webhook, or is to be, newest first."""
    path = f"{_PATH}/{part(webhook_id)}/deliveries"
    with session(as_json) as here:
        here.show(here.server.get(path, {"limit": limit, "cursor": cursor}), _deliveries)


@webhooks.command("test")
def send_test(webhook_id: Id, as_json: Json = False) -> None:
    """Send a delivery with invented values."""
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(webhook_id)}/test"), _sent)


@webhooks.command("rotate-secret")
def rotate_secret(
    webhook_id: Id,
    overlap_hours: Annotated[
        int | None, typer.Option(help="How long the old secret signs as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a webhook a new secret. It is shown this once."""
    path = f"{_PATH}/{part(webhook_id)}/rotate-secret"
    with session(as_json) as here:
        query = {"overlap_hours": overlap_hours}
        here.show(here.server.call("POST", path, query=query), _one)


def _list(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import more, table

    table(
        console,
        ("id", "url", "events", "on", "why not"),
        [
            (one["id"], one["url"], one["events"], one["active"], one["disabled_reason"])
            for one in answer["webhooks"]
        ],
    )
    more(console, answer, "webhooks")


def _one(console: "Console", webhook: Any) -> None:
    from fusillade.cli.cloud.tables import facts, moment

    facts(
        console,
        {
            "id": webhook["id"],
            "url": webhook["url"],
            "events": webhook["events"],
            "on": webhook["active"],
            "why not": webhook.get("disabled_reason"),
            "secret": webhook.get("secret"),
            "the old one signs until": moment(webhook.get("previous_secret_until")),
        },
    )
    if "secret" in webhook:
        console.print("The secret is not shown again.", style="dim")


def _deliveries(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import moment, more, table

    table(
        console,
        ("id", "created", "event", "status", "attempts", "answer", "ms", "next", "error"),
        [
            (
                one["id"],
                moment(one["created_at"]),
                one["event"],
                one["status"],
                one["attempts"],
                one["response_status"],
                one["duration_ms"],
                moment(one["next_attempt_at"]),
                one["error"],
            )
            for one in answer["deliveries"]
        ],
    )
    more(console, answer, "deliveries")


def _sent(console: "Console", delivery: Any) -> None:
    from fusillade.cli.cloud.tables import clean

    console.print(
        clean(
            f"{delivery['event']} is on its way as {delivery['id']}; fusillade webhooks "
            "deliveries shows what becomes of it."
        ),
        markup=False,
        soft_wrap=True,
    )
