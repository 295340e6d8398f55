"""``fusillade status``: how the platform is."""

from typing import TYPE_CHECKING, Any

import typer

from fusillade.cli.cloud.session import Json, session

if TYPE_CHECKING:
    from rich.console import Console


def status(as_json: Json = False) -> None:
    """Show how the platform and its parts are; exit code 1 if one is down."""
    with session(as_json) as here:

        def view(console: "Console", parts: Any) -> None:
            from fusillade.cli.cloud.tables import facts, table

            facts(
                console,
                {
                    "platform": here.server.account.url,
                    "version": parts["version"],
                    "status": parts["status"],
                },
            )
            rows = [
                (name, part["status"], part.get("latency_ms"), part.get("error", ""))
                for name, part in parts.items()
                if isinstance(part, dict)
            ]
            console.print()
            table(console, ("part", "status", "ms", "error"), rows)

        answer = here.server.call("GET", "/health/deep", accept=(503,))
        here.show(answer, view)
    if answer.data["status"] != "ok":
        raise typer.Exit(1)
