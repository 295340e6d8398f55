"""All deltas of one host, of which only the newest are in memory: a long test has many."""

import tempfile
from array import array
from typing import IO

_MOST_IN_MEMORY = 600
"""Ten minutes of seconds."""


class KeptDeltas:
    """In the order in which they were added. Older ones are in a file without a name, which goes
    with the process."""

    def __init__(self) -> None:
        self._newest: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._ends = array("Q", [0])
        """Where in the file each of those there ends, behind the start."""

    def __len__(self) -> int:
        return len(self._ends) - 1 + len(self._newest)

    def add(self, payload: bytes) -> None:
        """Keep one more. Raises OSError when older ones cannot be written; it is kept all the
        same."""
        self._newest.append(payload)
        if len(self._newest) >= 2 * _MOST_IN_MEMORY:
            self._put_away(self._newest[:_MOST_IN_MEMORY])
            del self._newest[:_MOST_IN_MEMORY]

    def some(self, first: int, most: int) -> list[bytes]:
        """From number ``first`` (0 for the first) on, at most so many."""
        away = len(self._ends) - 1
        last = min(first + most, len(self))
        found = self._newest[max(0, first - away) : max(0, last - away)]
        return self._read(first, min(last, away)) + found

    def _put_away(self, older: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (it is kept open)
        written = memoryview(b"".join(older))
        self._file.seek(self._ends[-1])
        while written:
            written = written[self._file.write(written) :]
        for payload in older:
            self._ends.append(self._ends[-1] + len(payload))

    def _read(self, first: int, end: int) -> list[bytes]:
        if first >= end or self._file is None:
            return []
        start = self._ends[first]
        self._file.seek(start)
        content = self._file.read(self._ends[end] - start)
        return [
            content[self._ends[number] - start : self._ends[number + 1] - start]
            for number in range(first, end)
        ]
