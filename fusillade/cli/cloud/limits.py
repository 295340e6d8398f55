"""``fusillade regions`` and ``fusillade quota``: what the plan allows."""

from typing import TYPE_CHECKING, Any

from fusillade.cli.cloud.session import Json, session

if TYPE_CHECKING:
    from rich.console import Console


def regions(as_json: Json = False) -> None:
    """List the regions that tests may name, and their machines."""
    with session(as_json) as here:
        here.show(here.server.get("/api/v1/regions"), _regions)


def quota(as_json: Json = False) -> None:
    """Show what the plan allows, and what is used of it."""
    with session(as_json) as here:
        here.show(here.server.get("/api/v1/quota"), _quota)


def _regions(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import table

    columns = ("region", "name", "continent", "default", "machines", "starting", "CPUs", "free")
    names = ("code", "name", "continent", "default", "nodes", "nodes_starting", "cpus", "cpus_free")
    table(console, columns, [[one[name] for name in names] for one in answer["regions"]])


def _quota(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import facts, moment

    def of(name: str) -> str:
        limit = answer[f"{name}_limit"]
        return f"{answer[f'{name}_used']:,g} of {'any number' if limit is None else f'{limit:,}'}"

    facts(
        console,
        {
            "plan": answer["plan"],
            "minutes": f"{of('minutes')}, {answer['minutes_reserved']:,g} reserved",
            "until": moment(answer["period_end"]),
            "workers": f"at most {answer['workers_limit']:,} a test",
            "duration": f"at most {answer['duration_seconds_limit']:,} s a test",
            "script": f"at most {answer['script_bytes_limit']:,} bytes",
            "regions": answer["regions"],
            "templates": of("templates"),
            "schedules": of("schedules"),
        },
    )
