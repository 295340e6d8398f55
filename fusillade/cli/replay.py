"""``fusillade replay``: the failed requests of a run, sent again."""

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fusillade.cli.failed_requests import BaseUrl, Json, Numbers, Source, read

if TYPE_CHECKING:
    from rich.console import Console

    from fusillade.failures.record import FailedRequest, Received
    from fusillade.failures.replay import Now

_MOST_SHOWN = 400
"""Characters of a body in the terminal."""


def replay(
    source: Source,
    base_url: BaseUrl = None,
    number: Numbers = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds for each.")] = 30.0,
    insecure: Annotated[
        bool, typer.Option("-k", "--insecure", help="Do not look at certificates.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send the failed requests of a run again, one by one, and show then and now side by side;
    exit code 0 if all succeed now, 1 otherwise.

    Secrets were masked: they are taken from variables such as REPLAY_BEARER_TOKEN.
    """
    from fusillade.cli.cloud.session import console
    from fusillade.failures.replay import replay as send

    found = read(source, number or [], base_url, as_json=as_json)
    shown = console()
    results: list[dict[str, Any]] = []
    for at, record, request in found:
        now = send(record, request, os.environ, timeout_seconds=timeout, insecure=insecure)
        results.append(
            {
                "number": at,
                "name": record.name,
                "reason": record.reason,
                "then": msgspec.to_builtins(record),
                "now": msgspec.to_builtins(now),
            }
        )
        if not as_json:
            _show(shown, at, record, now)
    succeeded = sum(result["now"]["ok"] for result in results)
    if as_json:
        document = {"ok": succeeded == len(found), "requests": results}
        typer.echo(json.dumps(document, indent=2))
    elif found:
        typer.echo(f"{succeeded} of {len(found)} succeed now.")
    else:
        typer.echo("No request has failed.")
    if succeeded < len(found):
        raise typer.Exit(1)


def _show(console: "Console", number: int, record: "FailedRequest", now: "Now") -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from fusillade.cli.cloud.session import clean

    mark = Text("✓ ", "green") if now.ok else Text("✗ ", "bold red")
    line = f"{number}. {record.request.method} {record.request.url}"
    console.print(mark + Text(clean(line), "bold"), soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("", "then", "now"):
        table.add_column(name, overflow="fold", ratio=None if name == "" else 1)
    took = f"{record.timings_ms.duration:,.1f} ms"
    again = None if now.duration_ms is None else f"{now.duration_ms:,.1f} ms"
    reason = record.reason
    if record.check is not None and record.response is not None:
        reason = f"status {record.response.status}, {reason}"
    table.add_row("result", Text(clean(reason)), Text(clean(now.words)))
    table.add_row("duration", took, again)
    then = record.response
    for name in ("Content-Type", "Location", "Server"):
        values = (_header(then, name), _header(now.response, name))
        if any(values):
            table.add_row(name, *(Text(clean(value)) for value in values))
    table.add_row("body", Text(_body(then)), Text(_body(now.response)))
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print()


def _header(response: "Received | None", name: str) -> str:
    if response is None:
        return ""
    return ", ".join(one.value for one in response.headers if one.name.lower() == name.lower())


def _body(response: "Received | None") -> str:
    from fusillade.cli.cloud.session import clean

    if response is None:
        return ""
    body = response.body
    text = clean(body.text[:_MOST_SHOWN])
    cut = len(body.text) > _MOST_SHOWN or not body.whole
    return f"{text} ... ({body.size_bytes:,} bytes)" if cut else text
