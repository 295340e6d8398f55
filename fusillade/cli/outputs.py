"""Files that a run leaves: ``--out KIND=FILE`` and ``--export-html FILE``."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from fusillade.errors import ValidationFailed
from fusillade.reports.formats import FORMATS

if TYPE_CHECKING:
    from fusillade.reports.result import Result


Out = Annotated[
    list[str] | None,
    typer.Option(help="Write json=FILE, csv=FILE or junit=FILE at the end; repeatable."),
]
ExportHtml = Annotated[
    Path | None, typer.Option(help="Write a report that any browser shows to this file.")
]


class Output(msgspec.Struct, frozen=True):
    """One file to be written at the end of a run."""

    kind: str
    path: Path

    def write(self, result: "Result") -> None:
        """Raises :class:`ValidationFailed` when the file cannot be written."""
        self.keep(FORMATS[self.kind].of(result))

    def keep(self, content: bytes) -> None:
        """Write what has been made elsewhere. Raises as :meth:`write`."""
        try:
            self.path.write_bytes(content)
        except OSError as error:
            raise ValidationFailed(f"Cannot write {self.path}: {error.strerror}.") from error


def outputs(given: Iterable[str], html: Path | None) -> list[Output]:
    """What the options ask for, checked before the run rather than after it.

    Raises :class:`ValidationFailed`.
    """
    found = []
    for text in given:
        kind, equals, name = text.partition("=")
        if not equals or not name or kind not in ("json", "csv", "junit"):
            raise ValidationFailed(f"--out {text}: write it as json=FILE, csv=FILE or junit=FILE.")
        found.append(Output(kind, Path(name)))
    if html is not None:
        found.append(Output("html", html))
    for output in found:
        if output.path.is_dir():
            raise ValidationFailed(f"{output.path} is a directory where a file should be written.")
        if not output.path.parent.is_dir():
            raise ValidationFailed(f"There is no directory {output.path.parent} to write into.")
    return found
