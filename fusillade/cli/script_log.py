"""Lines that a script prints, in the terminal."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from rich.console import Console

LEVELS = ("debug", "info", "warn", "error", "none")
_STYLES = {"debug": "dim", "info": "cyan", "warn": "yellow", "error": "red"}


def check_level(level: str) -> None:
    """Raises :class:`ValidationFailed` for a level that does not exist."""
    if level not in LEVELS:
        raise ValidationFailed(f"--log-level must be one of {', '.join(LEVELS)}.")


def logger(console: "Console", lowest: str) -> Callable[[str, str], None]:
    """A function of level and text that prints lines from level ``lowest`` on."""
    from rich.text import Text

    def log(level: str, text: str) -> None:
        if LEVELS.index(level) >= LEVELS.index(lowest):
            label = Text(f"{level}: ", style=_STYLES.get(level, ""))
            console.print(label + Text(text), soft_wrap=True)

    return log
