"""``fusillade templates``: tests that are kept to be created again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.plans import Duration, Name, Region, Workers, plan
from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Cursor, Json, Limit, session

if TYPE_CHECKING:
    from rich.console import Console

templates = typer.Typer(
    name="templates", no_args_is_help=True, help="Tests that are kept to be created again."
)

_PATH = "/api/v1/templates"
Id = Annotated[str, typer.Argument(metavar="ID")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]


@templates.command("list")
def list_templates(limit: Limit = 20, cursor: Cursor = None, as_json: Json = False) -> None:
    """List templates, newest first."""
    with session(as_json) as here:
        here.show(here.server.get(_PATH, {"limit": limit, "cursor": cursor}), _list)


@templates.command()
def show(template_id: Id, as_json: Json = False) -> None:
    """Show a template with its script."""
    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(template_id)}"), _one)


@templates.command()
def create(
    script: Annotated[Path, typer.Argument(help="One file: what it imports is not kept.")],
    workers: Annotated[int, typer.Option("-w", "--workers", "--vus", min=1)],
    duration: Annotated[str, typer.Option("-d", "--duration", help="Such as 30s or 5m.")],
    name: Name = None,
    description: Description = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Keep a script with workers, duration and region."""
    body = plan(
        name=name or script.stem, script=script, workers=workers, duration=duration, region=region
    )
    if description is not None:
        body["description"] = description
    with session(as_json) as here:
        here.show(here.server.post(_PATH, body), _one)


@templates.command()
def update(
    template_id: Id,
    script: Annotated[Path | None, typer.Option(help="Another script.")] = None,
    workers: Workers = None,
    duration: Duration = None,
    name: Name = None,
    description: Description = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Change a template; what is not given stays."""
    body = plan(name=name, script=script, workers=workers, duration=duration, region=region)
    if description is not None:
        body["description"] = description
    with session(as_json) as here:
        here.show(here.server.call("PATCH", f"{_PATH}/{part(template_id)}", body=body), _one)


@templates.command()
def delete(template_id: Id, as_json: Json = False) -> None:
    """Delete a template. Its tests stay."""
    with session(as_json) as here:
        answer = here.server.call("DELETE", f"{_PATH}/{part(template_id)}")
        here.show(answer, lambda console, _: console.print("Deleted."))


@templates.command()
def run(
    template_id: Id,
    workers: Workers = None,
    duration: Duration = None,
    name: Name = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Create a test from a template; it waits to be started."""
    body = plan(name=name, workers=workers, duration=duration, region=region)
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(template_id)}/run", body), _created)


def _list(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import more, table

    columns = ("id", "name", "workers", "seconds", "region", "description")
    names = ("id", "name", "workers", "duration_seconds", "region", "description")
    table(console, columns, [[one[name] for name in names] for one in answer["templates"]])
    more(console, answer, "templates")


def _one(console: "Console", template: Any) -> None:
    from fusillade.cli.cloud.tables import clean, facts, moment

    facts(
        console,
        {
            "id": template["id"],
            "name": template["name"],
            "description": template["description"] or None,
            "workers": template["workers"],
            "seconds": template["duration_seconds"],
            "region": template["region"],
            "changed": moment(template["updated_at"]),
        },
    )
    console.print()
    console.print(clean(template["script_content"]), markup=False, soft_wrap=True)


def _created(console: "Console", test: Any) -> None:
    console.print(
        f"Created the test {test['test_id']}; start it with: fusillade tests start "
        f"{test['test_id']}",
        markup=False,
        soft_wrap=True,
    )
