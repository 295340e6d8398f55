"""``fusillade schedules``: tests that are created and started at certain times."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.plans import Duration, Name, Region, Workers, plan
from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Cursor, Json, Limit, session

if TYPE_CHECKING:
    from rich.console import Console

schedules = typer.Typer(
    name="schedules", no_args_is_help=True, help="Tests that start at certain times."
)

_PATH = "/api/v1/schedules"
_CRON = "Seven fields: sec min hour day_of_month month day_of_week year."
Id = Annotated[str, typer.Argument(metavar="ID")]
Timezone = Annotated[str | None, typer.Option(help="Such as Europe/Helsinki; UTC if not given.")]


@schedules.command("list")
def list_schedules(limit: Limit = 20, cursor: Cursor = None, as_json: Json = False) -> None:
    """List schedules, newest first."""
    with session(as_json) as here:
        here.show(here.server.get(_PATH, {"limit": limit, "cursor": cursor}), _list)


@schedules.command()
def show(schedule_id: Id, as_json: Json = False) -> None:
    """Show a schedule: its next times, and what became of the last ones."""
    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(schedule_id)}"), _one)


@schedules.command()
def create(
    script: Annotated[Path, typer.Argument(help="One file: what it imports is not kept.")],
    cron: Annotated[str, typer.Option(help=_CRON)],
    workers: Annotated[int, typer.Option("-w", "--workers", "--vus", min=1)],
    duration: Annotated[str, typer.Option("-d", "--duration", help="Such as 30s or 5m.")],
    timezone: Timezone = None,
    name: Name = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Run a script at the times that a cron expression names."""
    body = plan(
        name=name or script.stem, script=script, workers=workers, duration=duration, region=region
    )
    with session(as_json) as here:
        body |= {"cron_expression": cron, "timezone": timezone or "UTC"}
        here.show(here.server.post(_PATH, body), _one)


@schedules.command()
def update(
    schedule_id: Id,
    script: Annotated[Path | None, typer.Option(help="Another script.")] = None,
    cron: Annotated[str | None, typer.Option(help=_CRON)] = None,
    workers: Workers = None,
    duration: Duration = None,
    timezone: Timezone = None,
    name: Name = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Change a schedule; what is not given stays."""
    body = plan(name=name, script=script, workers=workers, duration=duration, region=region)
    if cron is not None:
        body["cron_expression"] = cron
    if timezone is not None:
        body["timezone"] = timezone
    with session(as_json) as here:
        here.show(here.server.call("PATCH", f"{_PATH}/{part(schedule_id)}", body=body), _one)


@schedules.command()
def delete(schedule_id: Id, as_json: Json = False) -> None:
    """Delete a schedule. Its tests stay."""
    with session(as_json) as here:
        answer = here.server.call("DELETE", f"{_PATH}/{part(schedule_id)}")
        here.show(answer, lambda console, _: console.print("Deleted."))


@schedules.command()
def pause(schedule_id: Id, as_json: Json = False) -> None:
    """Start no more tests until it is resumed."""
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(schedule_id)}/pause"), _one)


@schedules.command()
def resume(schedule_id: Id, as_json: Json = False) -> None:
    """Go on with the next time to come."""
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(schedule_id)}/resume"), _one)


@schedules.command()
def trigger(schedule_id: Id, as_json: Json = False) -> None:
    """Create and start its test now; its own times stay."""
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(schedule_id)}/trigger"), _triggered)


def _list(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import moment, more, table

    table(
        console,
        ("id", "name", "cron", "time zone", "status", "next", "last", "refused"),
        [
            (
                one["id"],
                one["name"],
                one["cron_expression"],
                one["timezone"],
                one["status"],
                moment(next(iter(one["next_runs"]), None)),
                moment(one["last_run_at"]),
                one["refusal"] and one["refusal"]["code"],
            )
            for one in answer["schedules"]
        ],
    )
    more(console, answer, "schedules")


def _one(console: "Console", schedule: Any) -> None:
    from fusillade.cli.cloud.tables import facts, moment, table

    refusal = schedule["refusal"]
    facts(
        console,
        {
            "id": schedule["id"],
            "name": schedule["name"],
            "status": schedule["status"],
            "cron": f"{schedule['cron_expression']} ({schedule['timezone']})",
            "next": [str(moment(one)) for one in schedule["next_runs"]] or None,
            "workers": schedule["workers"],
            "seconds": schedule["duration_seconds"],
            "region": schedule["region"],
            "last test": schedule["last_test_id"],
            "refused": refusal and f"{refusal['in_a_row']} times: {refusal['message']}",
        },
    )
    if schedule["firings"]:
        console.print()
        names = ("status", "test_id", "message")
        rows = [
            (moment(one["fire_time"]), *(one[name] for name in names))
            for one in schedule["firings"]
        ]
        table(console, ("time", "became", "test", "why"), rows)


def _triggered(console: "Console", test: Any) -> None:
    console.print(
        f"Started the test {test['test_id']}; watch it with: fusillade tests watch "
        f"{test['test_id']}",
        markup=False,
        soft_wrap=True,
    )
