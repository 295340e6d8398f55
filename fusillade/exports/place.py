"""Where exports are written: a directory, or a bucket that speaks the S3 protocol.

A file is there whole or not at all, whenever the writer is killed: in a directory it gets its name
once it is written, and an object store shows an object once all of it has come.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_UNFINISHED = ".unfinished"


def checked_place(url: str) -> str:
    """The URL, a path made absolute. Raises ``ValueError`` with a sentence."""
    if "://" not in url:
        return str(Path(url).expanduser().absolute())
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError(f"'{url}' is neither a path nor s3://BUCKET/PREFIX")
    return url


def write(url: str, name: str, content: bytes) -> None:
    """Write the file ``name``, a relative path, below the place; an older one is replaced.

    Raises ``OSError`` when the place cannot be reached or written to.
    """
    if "://" not in url:
        _write_file(Path(url) / name, content)
        return
    filesystem, prefix = _bucket(url)
    with filesystem.open_output_stream(f"{prefix.rstrip('/')}/{name}") as stream:
        stream.write(content)


def _bucket(url: str) -> tuple[Any, str]:
    from pyarrow import fs

    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(url)
    except ValueError as error:
        raise OSError(f"{url} cannot be used: {error}") from error
    return found


def _write_file(path: Path, content: bytes) -> None:
    """A name that begins with a dot is passed over by all that reads such directories. It is always
    the same, so that what a killed writer has left is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}{_UNFINISHED}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the name, too, must outlive the machine
    finally:
        os.close(directory)
