"""``fusillade tests``: runs on a platform."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Cursor, Json, Limit, session
from fusillade.cli.outputs import ExportHtml, Out, outputs
from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from rich.console import Console

tests = typer.Typer(name="tests", no_args_is_help=True, help="Runs on a platform.")

_PATH = "/api/v1/tests"
Id = Annotated[str, typer.Argument(metavar="ID")]


@tests.command("list")
def list_tests(
    status: Annotated[
        list[str] | None, typer.Option(help="Such as running; repeatable for any of them.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="Part of the name.")] = None,
    region: Annotated[str | None, typer.Option(help="Such as eu-hel1.")] = None,
    target_url: Annotated[str | None, typer.Option(help="Only tests of this target.")] = None,
    sort: Annotated[str | None, typer.Option(help="Such as name or -created_at.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List tests, newest first."""
    query = {
        "status": status,
        "search": search,
        "region": region,
        "target_url": target_url,
        "sort": sort,
        "limit": limit,
        "cursor": cursor,
    }
    with session(as_json) as here:
        here.show(here.server.get(_PATH, query), _list)


@tests.command()
def show(test_id: Id, as_json: Json = False) -> None:
    """Show a test and its result."""
    from fusillade.cli.cloud.result_view import show_test

    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(test_id)}"), show_test)


@tests.command()
def watch(test_id: Id, as_json: Json = False) -> None:
    """Watch a test to its end; exit code 99 if a threshold was crossed, 1 if it failed."""
    from fusillade.cli.cloud.watching import watch_to_the_end

    with session(as_json) as here:
        code = watch_to_the_end(here, test_id, live=True)
    if code:
        raise typer.Exit(code)


@tests.command()
def start(test_id: Id, as_json: Json = False) -> None:
    """Start a test that is ready."""
    _act(test_id, "start", as_json)


@tests.command()
def stop(test_id: Id, as_json: Json = False) -> None:
    """Stop a running test, or cancel one that has not begun."""
    _act(test_id, "stop", as_json)


@tests.command()
def pause(test_id: Id, as_json: Json = False) -> None:
    """Pause a running test."""
    _act(test_id, "pause", as_json)


@tests.command()
def resume(test_id: Id, as_json: Json = False) -> None:
    """Resume a paused test."""
    _act(test_id, "resume", as_json)


@tests.command()
def delete(test_id: Id, as_json: Json = False) -> None:
    """Delete a test with its results; one that is under way is ended."""
    with session(as_json) as here:
        answer = here.server.call("DELETE", f"{_PATH}/{part(test_id)}")
        here.show(answer, lambda console, _: console.print("Deleted."))


@tests.command()
def workers(test_id: Id, as_json: Json = False) -> None:
    """List the processes that a live test runs on."""
    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(test_id)}/workers"), _workers)


@tests.command()
def queue(test_id: Id, as_json: Json = False) -> None:
    """Show what a test waits for."""
    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(test_id)}/queue"), _queue)


@tests.command()
def logs(test_id: Id, as_json: Json = False) -> None:
    """Print the first lines that the script has printed."""
    with session(as_json) as here:
        here.show(here.server.get(f"{_PATH}/{part(test_id)}/log"), _logs)


@tests.command()
def report(test_id: Id, out: Out = None, export_html: ExportHtml = None) -> None:
    """Write the reports of a test that has ended."""
    from fusillade.cli.cloud.reports import save_reports

    wanted = outputs(out or [], export_html)
    if not wanted:
        raise ValidationFailed(
            "Which report? Write --out json=FILE, csv=FILE or junit=FILE, or --export-html FILE."
        )
    with session(as_json=False) as here:
        save_reports(here.server, test_id, wanted)


def _act(test_id: str, verb: str, as_json: bool) -> None:
    with session(as_json) as here:
        here.show(here.server.post(f"{_PATH}/{part(test_id)}/{verb}"), _state)


def _state(console: "Console", test: Any) -> None:
    paused = " (paused)" if test.get("paused") else ""
    console.print(f"The test {test['test_id']} is {test['status']}{paused}.", markup=False)


def _list(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import cell, moment, more, table

    def metric(test: Any, name: str, form: str) -> object:
        found = test["metrics"]
        return cell(None) if found is None else format(found[name], form)

    table(
        console,
        ("id", "name", "status", "created", "workers", "region", "rate", "p95", "errors"),
        [
            (
                one["id"],
                one["name"],
                "paused" if one["paused"] else one["status"],
                moment(one["created_at"]),
                one["workers"],
                one["region"],
                metric(one, "rps", ",.1f"),
                metric(one, "p95_latency_ms", ",.1f"),
                metric(one, "error_rate", ".2%"),
            )
            for one in answer["tests"]
        ],
    )
    more(console, answer, "tests")


def _workers(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import table

    if not answer["workers"]:
        console.print("None: the test has no machine yet, or has ended.")
        return
    table(
        console,
        ("index", "region", "state", "workers", "active", "rate", "CPU", "late ms", "overloaded"),
        [
            (
                str(one["index"]),
                one["region"],
                one["state"],
                one["workers"],
                one["active_workers"],
                one["rps"],
                f"{one['cpu_share']:.0%}",
                one["loop_lag_ms"],
                one["overloaded"],
            )
            for one in answer["workers"]
        ],
    )


def _queue(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import facts, moment

    there = answer["worker_actors_there"]
    facts(
        console,
        {
            "status": answer["status"],
            "waits": answer["waiting"],
            "position": answer["position"] or None,
            "for": answer["waiting_for"],
            "since": moment(answer["waiting_since"]),
            "WorkerActors": f"{'?' if there is None else there} of "
            f"{answer['worker_actors_wanted']}",
        },
    )


def _logs(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.session import clean

    for line in answer["lines"]:
        console.print(clean(line), markup=False, soft_wrap=True)
