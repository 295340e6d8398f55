"""Artifacts of a local run as files."""

from collections.abc import Mapping
from pathlib import Path

from fusillade.errors import ValidationFailed


def write_artifacts(artifacts: Mapping[str, str], directory: Path) -> None:
    """Write each below ``directory``; their names are relative paths that stay there.

    Raises :class:`ValidationFailed` when one cannot be written.
    """
    for name, text in artifacts.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise ValidationFailed(f"Cannot write {path}: {error.strerror}.") from error
