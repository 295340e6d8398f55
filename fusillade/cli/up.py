"""``fusillade up``: the whole platform on this machine, or the API on a Ray that is there."""

import time
from pathlib import Path
from typing import Annotated

import typer

from fusillade.cli import home, platform
from fusillade.errors import InternalError


def up(
    address: Annotated[
        str | None,
        typer.Option(help="Join the Ray at HOST:PORT (or 'auto') instead of starting one."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    dashboard_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Show Ray's dashboard on this port of 127.0.0.1, such as 8265."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the database, keys and passwords are kept.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when the API answers; stop with down.")
    ] = False,
) -> None:
    """Start the platform: Ray, the database, the API."""
    platform.interrupt_on_signals()
    settings = platform.load_settings(host=host, port=port, data_dir=data_dir)
    began = time.monotonic()
    started = platform.start(
        settings,
        address=address,
        dashboard_port=dashboard_port,
        report=lambda words: typer.echo(f"{words} ..."),
    )
    typer.echo(f"Fusillade is up at {started.running.url} ({time.monotonic() - began:.0f} s).")
    if dashboard_port is not None:
        token = home.ray_token_file(settings.data_dir)
        typer.echo(f"Ray's dashboard is at http://127.0.0.1:{dashboard_port}; its token: {token}")
    if started.admin is not None:
        admin = started.admin
        typer.echo(f"First administrator: {admin.email}, password {admin.password}")
        typer.echo(f"(shown once; kept in {admin.file})")
    if detach:
        typer.echo(f"Stop it with: fusillade down --data-dir {settings.data_dir}")
        return
    typer.echo("Stop it with Ctrl-C.")
    try:
        _watch(settings.data_dir, started.running)
    except KeyboardInterrupt:
        typer.echo("\nStopping ...")
    finally:
        platform.stop(settings.data_dir, platform_id=started.running.id)
    typer.echo("Stopped.")


def _watch(data_dir: Path, running: home.Running) -> None:
    """Return when another command took the platform down; raise InternalError when it died."""
    while (now := home.read_running(data_dir)) is not None and now.id == running.id:
        if not platform.is_alive(running):
            raise InternalError("Ray is gone, so the platform is down: start it again.")
        time.sleep(1)
