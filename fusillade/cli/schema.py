"""``fusillade schema``: print the JSON schema of a script's ``options``."""

import json

import typer

from fusillade.script.option_schema import options_schema


def schema() -> None:
    """Print the JSON schema of what a script may export as `options`."""
    typer.echo(json.dumps(options_schema(), indent=2))
