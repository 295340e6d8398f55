"""Converts a source and runs the script that comes out, as people do one after the other."""

from pathlib import Path

from scripts import Run, run

from fusillade.converters import formats
from fusillade.converters.model import Choices
from fusillade.converters.script_writer import write


def converted(
    source: str,
    choices: Choices | None = None,
    *,
    wanted: str | None = None,
    directory: Path = Path(),
) -> str:
    """The script."""
    return write(formats.read(source, "source", directory, choices or Choices(), wanted))


async def sent(script: str, env: dict[str, str] | None = None) -> Run:
    """Run a script that was made, once, without the pause at its end."""
    return await run(script.replace("  sleep(1); // seconds", "  // "), env=env or {})
