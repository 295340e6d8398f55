"""Answers as tables and lists of facts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from fusillade.cli.cloud.session import clean

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    "completed": "green",
    "active": "green",
    "delivered": "green",
    "ok": "green",
    "running": "cyan",
    "failed": "bold red",
    "refused": "bold red",
    "down": "bold red",
    "stopped": "yellow",
    "cancelled": "yellow",
    "paused": "yellow",
    "missed": "yellow",
}


def table(console: "Console", columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns with a head; numbers stand right."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    filled = [[cell(value) for value in row] for row in rows]
    for index, column in enumerate(columns):
        right = any(row[index].justify == "right" for row in filled)
        made.add_column(
            column, justify="right" if right else "left", no_wrap=column == "id", overflow="fold"
        )
    for row in filled:
        made.add_row(*row)
    console.print(made)


def facts(console: "Console", rows: Mapping[str, object]) -> None:
    """One fact a line; those that are None are left out."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows.items():
        if value is not None:
            made.add_row(name, cell(value, right=False))
    console.print(made)


def more(console: "Console", answer: Mapping[str, Any], name: str) -> None:
    """How many there are in all, if not all of them are shown."""
    if answer.get("next_cursor"):
        shown = f"{len(answer[name])} of {answer['total']:,}; the next ones: --cursor "
        console.print(Text(shown + clean(answer["next_cursor"]), "dim"), soft_wrap=True)


def cell(value: object, *, right: bool = True) -> Text:
    """A value for people; a hyphen for none."""
    if value is None or value == "":
        return Text("-", "dim")
    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, int | float):
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
        return Text(text, justify="right" if right else None)
    if isinstance(value, list):
        return Text(clean(", ".join(map(str, value))))
    words = clean(value)
    return Text(words, _STYLES.get(words, ""))


def moment(text: str | None) -> str | None:
    """``2026-02-06 12:00:00Z`` of the API's time."""
    return None if text is None else text[:19].replace("T", " ") + "Z"
