"""Files that a run leaves: ``--out KIND=FILE`` and ``--export-html FILE``."""

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from fusillade.reports.result import Result

_KINDS = {
    "json": ("result_json", "result_json"),
    "csv": ("series_csv", "series_csv"),
    "junit": ("junit_xml", "junit_xml"),
    "html": ("html_page", "html_page"),
}
"""Kind of file -> module of ``fusillade.reports`` and its function."""


class Output(msgspec.Struct, frozen=True):
    """One file to be written at the end of a run."""

    kind: str
    path: Path

    def write(self, result: "Result") -> None:
        """Raises :class:`ValidationFailed` when the file cannot be written."""
        module, function = _KINDS[self.kind]
        writer: Callable[[Result], str] = getattr(
            importlib.import_module(f"fusillade.reports.{module}"), function
        )
        text = writer(result)
        try:
            self.path.write_text(text, encoding="utf-8", errors="replace")
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
