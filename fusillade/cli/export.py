"""``fusillade export``: the failed requests of a run as commands."""

import json
from typing import Annotated

import typer

from fusillade.cli.failed_requests import BaseUrl, Json, Numbers, Source, read
from fusillade.errors import ValidationFailed


def export(
    source: Source,
    format_: Annotated[str, typer.Option("--format", help="curl.")] = "curl",
    number: Numbers = None,
    base_url: BaseUrl = None,
    as_json: Json = False,
) -> None:
    """Print the failed requests that a run has kept, as curl commands.

    Secrets were masked: the commands take them from variables, which comments name.
    """
    from fusillade.failures.curl_command import comments, curl_command

    if format_ != "curl":
        raise ValidationFailed(f"--format {format_}: there is curl.")
    found = read(source, number or [], base_url, as_json=as_json)
    if as_json:
        requests = [
            {
                "number": at,
                "name": record.name,
                "reason": record.reason,
                "command": curl_command(request, at),
                "variables": request.placeholders(),
                "whole": request.missing_bytes is None,
            }
            for at, record, request in found
        ]
        typer.echo(json.dumps({"requests": requests}, indent=2))
        return
    for position, (at, record, request) in enumerate(found):
        if position:
            typer.echo()
        for line in comments(record, request, at):
            typer.echo(line)
        typer.echo(curl_command(request, at))
    if not found:
        typer.echo("No request has failed.", err=True)
