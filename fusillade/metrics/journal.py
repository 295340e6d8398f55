"""What was taken in, on disk: whoever has taken it in may be killed at any moment.

A journal is a log of entries, each behind its length in 4 bytes (big-endian), and the state before
the first of them, if there is one. The files are named by a number that grows with each new state:
``<number>.state`` and ``<number>.log``. A state counts when it has its name, which it gets when it
is whole; an entry at the end of the log that is not whole was never acknowledged, and does not
count. What the operating system has been given survives the death of the process; nothing waits for
the disk itself.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

_LENGTH = 4
LOG_BYTES = 64 << 20
"""A log that is longer is due to be replaced by a state."""


class Journal:
    """Of one owner, in a directory of its own; made if it is not there. All raise OSError."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        numbers = [int(path.stem) for path in directory.glob("*.state")]
        self._number = max(numbers, default=0)
        self._log = -1
        self._bytes = 0

    def state(self) -> bytes | None:
        """The newest state; None if there has been none."""
        return None if self._number == 0 else self._state(self._number).read_bytes()

    def entries(self) -> Iterator[bytes]:
        """All entries since that state, in order. What is not whole at the end is cut off."""
        path = self._path(self._number)
        content = path.read_bytes() if path.exists() else b""
        at = 0
        while at + _LENGTH <= len(content):
            end = at + _LENGTH + int.from_bytes(content[at : at + _LENGTH])
            if end > len(content):
                break
            yield content[at + _LENGTH : end]
            at = end
        if at < len(content):
            os.truncate(path, at)

    def append(self, entries: Iterable[bytes]) -> None:
        """Write entries down; read those that are there before."""
        if self._log < 0:
            self._open()
        written = b"".join(len(entry).to_bytes(_LENGTH) + entry for entry in entries)
        self._bytes += len(written)
        view = memoryview(written)
        while view:
            view = view[os.write(self._log, view) :]

    @property
    def is_long(self) -> bool:
        """Whether it is time for a new state."""
        return self._bytes > LOG_BYTES

    def replace(self, state: bytes) -> None:
        """Begin anew from this state, which has all that was written down."""
        before, after = self._number, self._number + 1
        draft = self._directory / "draft"
        draft.write_bytes(state)
        draft.rename(self._state(after))
        self.close()
        self._number = after
        self._open()
        for path in (self._path(before), self._state(before)):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more will be written."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._log = os.open(self._path(self._number), flags, 0o600)
        self._bytes = os.fstat(self._log).st_size

    def _path(self, number: int) -> Path:
        return self._directory / f"{number}.log"

    def _state(self, number: int) -> Path:
        return self._directory / f"{number}.state"


def remove(directory: Path) -> None:
    """A journal that nobody needs any more, if it is there."""
    shutil.rmtree(directory, ignore_errors=True)


def keep_only(directory: Path, names: Iterable[str]) -> None:
    """Remove all journals in a directory but those with these names."""
    if directory.is_dir():
        for name in {path.name for path in directory.iterdir()} - set(names):
            remove(directory / name)
