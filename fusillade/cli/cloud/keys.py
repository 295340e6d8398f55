"""``fusillade keys``: API keys."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Json, session

if TYPE_CHECKING:
    from rich.console import Console

keys = typer.Typer(name="keys", no_args_is_help=True, help="List, create and delete API keys.")


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys that you may see."""
    with session(as_json) as here:
        here.show(here.server.get("/api/v1/keys"), _list)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="full (default), test:create, test:read or read; repeatable."),
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(help="Without it, the key does not expire.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a key. It is shown this once."""
    body: dict[str, Any] = {"name": name, "scopes": scope or ["full"]}
    if expires_in_days is not None:
        body["expires_in_days"] = expires_in_days
    with session(as_json) as here:
        here.show(here.server.post("/api/v1/keys", body), _created)


@keys.command()
def delete(key_id: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Delete a key: it works no longer."""
    with session(as_json) as here:
        answer = here.server.call("DELETE", f"/api/v1/keys/{part(key_id)}")
        here.show(answer, lambda console, _: console.print("Deleted."))


def _list(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import moment, table

    table(
        console,
        ("id", "name", "key", "scopes", "owner", "last used", "expires"),
        [
            (
                one["id"],
                one["name"],
                one["prefix"] + "...",
                one["scopes"],
                one["user"]["email"],
                moment(one["last_used_at"]),
                moment(one["expires_at"]),
            )
            for one in answer["keys"]
        ],
    )


def _created(console: "Console", key: Any) -> None:
    from fusillade.cli.cloud.tables import facts, moment

    facts(
        console,
        {
            "key": key["key"],
            "id": key["id"],
            "name": key["name"],
            "scopes": key["scopes"],
            "expires": moment(key.get("expires_at")),
        },
    )
    console.print("It is not shown again.", style="dim")
