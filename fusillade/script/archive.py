"""A test that comes as one ZIP: its files, and which of them is the main module."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable

from fusillade.errors import ScriptTooLarge, ValidationFailed
from fusillade.paths import LONGEST, relative_path

MODULE_SUFFIXES = (".js", ".mjs", ".ts", ".mts")
_MAIN_NAMES = ("main", "index", "script", "test")
_MAGIC = b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Most that an entry of the central directory is let take: its fixed part, name and extra fields.
_ENTRY_BYTES = 46 + LONGEST * 4 + 512


def is_archive(content: bytes) -> bool:
    """Whether this is a ZIP rather than a module."""
    return content.startswith(_MAGIC)


def unpack(content: bytes, *, most_files: int, most_bytes: int) -> dict[str, bytes]:
    """The files of a ZIP by path.

    Raises :class:`ValidationFailed` for an archive that cannot be read and for paths that are not
    plain relative ones; :class:`ScriptTooLarge` for more than ``most_bytes`` uncompressed, whatever
    the archive says of itself.
    """
    _check_directory(content, most_files)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, most_files, most_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise ValidationFailed(f"script: the ZIP cannot be read: {error}.") from error


def _check_directory(content: bytes, most_files: int) -> None:
    """Refuse a list of files that would take much memory only to be read."""
    end = content.rfind(b"PK\x05\x06")
    if end < 0 or len(content) < end + 22:
        raise ValidationFailed("script: the ZIP cannot be read: it has no end.")
    length = int.from_bytes(content[end + 12 : end + 16], "little")
    is_zip64 = content[max(0, end - 20) : end].startswith(b"PK\x06\x07")
    if is_zip64 or length > (most_files * 2) * _ENTRY_BYTES:
        raise _too_many(most_files)


def _read(archive: zipfile.ZipFile, most_files: int, most_bytes: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = most_bytes
    for entry in archive.infolist():
        # `filename` is what zipfile has made of it: cut at NUL, say.
        name = entry.orig_filename
        is_directory = name.endswith("/")
        path = checked_path(name.rstrip("/") if is_directory else name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ValidationFailed(
                f"script: '{path}' is neither a file nor a directory in the ZIP."
            )
        if is_directory or path.startswith("__MACOSX/"):
            continue
        if path in files:
            raise ValidationFailed(f"script: the ZIP has '{path}' more than once.")
        if len(files) >= most_files:
            raise _too_many(most_files)
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise ValidationFailed(
                f"script: '{path}' is encrypted or packed in another way than with deflate."
            )
        with archive.open(entry) as packed:
            files[path] = packed.read(left + 1)
        left -= len(files[path])
        if left < 0:
            raise ScriptTooLarge(f"The test's files have more than {most_bytes:,} bytes together.")
    return files


def checked_path(name: str) -> str:
    """A path inside a test. Raises :class:`ValidationFailed` naming it."""
    try:
        return relative_path(name)
    except ValueError as error:
        shown = re.sub(r"[^ -~]", "?", name[:LONGEST])
        raise ValidationFailed(f"'{shown}' cannot be a file of a test: {error}.") from error


def main_module(paths: Iterable[str], named: str | None) -> str:
    """Which file the test begins with: ``named``, or the only module at the top, or the one that
    is called main, index, script or test. Raises :class:`ValidationFailed`."""
    known = set(paths)
    if named is not None:
        path = checked_path(named)
        if path not in known or not path.endswith(MODULE_SUFFIXES):
            raise ValidationFailed(f"entry: the test has no module '{path}'.")
        return path
    top = sorted(path for path in known if "/" not in path and path.endswith(MODULE_SUFFIXES))
    if len(top) == 1:
        return top[0]
    for name in _MAIN_NAMES:
        for path in top:
            if path.rpartition(".")[0] == name:
                return path
    raise ValidationFailed(
        "entry is missing: the ZIP has no module at its top that is the only one there or called "
        "main.js, index.js, script.js or test.js; say which it is."
    )


def _too_many(most_files: int) -> ValidationFailed:
    return ValidationFailed(f"A test may have {most_files:,} files.")
