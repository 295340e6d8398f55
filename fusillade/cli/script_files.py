"""The files of a test, as a script on this disk has them around it."""

import os
from pathlib import Path

from fusillade.errors import ScriptTooLarge, ValidationFailed

_SUFFIXES = (".js", ".mjs", ".ts", ".mts", ".json", ".csv", ".txt")
_MOST_FILES = 2000
_MOST_BYTES = 64 << 20


def read_files(script: Path) -> tuple[dict[str, bytes], str]:
    """The script and what lies beside and below it that it may import or open; and its name.

    Raises :class:`ValidationFailed`, :class:`ScriptTooLarge`.
    """
    if not script.is_file():
        raise ValidationFailed(f"There is no file {script}.")
    root = script.resolve().parent
    files = {script.name: _content(script)}
    total = 0
    for directory, names, entries in os.walk(root):
        names[:] = [n for n in names if not n.startswith(".") and n != "node_modules"]
        for entry in entries:
            path = Path(directory, entry)
            if path.suffix not in _SUFFIXES or not path.is_file():
                continue
            total += path.stat().st_size
            if len(files) >= _MOST_FILES or total > _MOST_BYTES:
                raise ScriptTooLarge(
                    f"{root} has more than {_MOST_FILES:,} files or {_MOST_BYTES >> 20} MiB of "
                    "scripts and data: put the test into a directory of its own."
                )
            files[str(path.relative_to(root))] = _content(path)
    return files, script.name


def read_script(script: Path) -> str:
    """One script alone. Raises :class:`ValidationFailed`."""
    if not script.is_file():
        raise ValidationFailed(f"There is no file {script}.")
    try:
        return _content(script).decode()
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"{script} is not UTF-8 text.") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValidationFailed(f"Cannot read {path}: {error.strerror}.") from error
