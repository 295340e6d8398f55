"""``fusillade login``, ``whoami`` and ``logout``."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud import account
from fusillade.cli.cloud.account import Account
from fusillade.cli.cloud.server import ApiError, Server, Unreachable
from fusillade.cli.cloud.session import Json, clean, print_raw, session
from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from rich.console import Console


def login(
    key: Annotated[
        str | None,
        typer.Argument(help="An API key; - reads it from standard input, nothing asks for it."),
    ] = None,
    api_url: Annotated[
        str | None, typer.Option("--api-url", help="The platform's address.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Log in at a platform with an API key, and stay so."""
    url = account.checked_url(api_url or os.environ.get("FUSILLADE_API_URL") or account.DEFAULT_URL)
    given = Account(url, account.checked_key(_key(key)))
    try:
        answer = Server(given).get("/api/v1/me")
    except ApiError as error:
        if as_json:
            print_raw(error.raw)
        if error.api_code == "invalid_auth":
            raise ValidationFailed(
                f"{url} does not know that key, or it has expired: make another on its web page, "
                "under Keys."
            ) from error
        raise
    path = account.keep(given)
    if url.startswith("http://") and not account.is_loopback(url):
        typer.echo(f"The key goes to {url} unencrypted: use https where you can.", err=True)
    if as_json:
        print_raw(answer.raw)
    else:
        typer.echo(clean(f"Logged in at {url} as {answer.data['email']}; kept in {path}."))


def whoami(as_json: Json = False) -> None:
    """Show who is logged in, and where."""
    with session(as_json) as here:

        def view(console: "Console", me: Any) -> None:
            from fusillade.cli.cloud.tables import facts

            facts(
                console,
                {
                    "user": f"{me['name']} <{me['email']}>",
                    "role": me["role"],
                    "organisation": me["organization"]["name"],
                    "platform": here.server.account.url,
                },
            )

        here.show(here.server.get("/api/v1/me"), view)


def logout() -> None:
    """Forget the key that login kept."""
    kept = account.read()
    if kept is None:
        typer.echo("Nobody is logged in.")
        return
    account.forget()
    if kept.key.startswith("fusi_"):
        typer.echo(
            f"Logged out of {kept.url}. The key itself stays valid until it is deleted there "
            "(fusillade keys delete ID)."
        )
        return
    # A token of the web page: only those can be given back.
    try:
        Server(kept).post("/api/v1/auth/logout")
    except (ApiError, Unreachable) as error:
        typer.echo(f"The token may still be valid: {clean(error.message)}", err=True)
    typer.echo(f"Logged out of {kept.url}.")


def _key(given: str | None) -> str:
    if given == "-" or (given is None and not sys.stdin.isatty()):
        given = sys.stdin.readline()
    elif given is None:
        given = str(typer.prompt("API key", hide_input=True, err=True))
    return given
