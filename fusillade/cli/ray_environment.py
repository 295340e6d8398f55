"""``fusillade ray-environment``: what ``ray start`` needs on every node of a cluster."""

import shlex

import typer


def ray_environment() -> None:
    """Print the variables with which every node of a cluster is started: eval "$(...)"."""
    from actors.platform import NODE_ENVIRONMENT

    for name, value in NODE_ENVIRONMENT.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
