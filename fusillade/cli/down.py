"""``fusillade down``: take down what ``up --detach`` started, or what a crash left of it."""

from pathlib import Path
from typing import Annotated

import typer

from fusillade.cli import platform


def down(
    data_dir: Annotated[
        Path | None, typer.Option(help="The data directory that the platform was started with.")
    ] = None,
) -> None:
    """Stop the platform of a data directory; its data stay."""
    where = platform.load_settings(data_dir=data_dir).data_dir
    if platform.stop(where):
        typer.echo("Stopped.")
    else:
        typer.echo(f"Nothing runs on {where}.")
