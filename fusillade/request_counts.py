"""How often somebody has asked lately, counted by all processes of one machine together.

A file of fixed size, mapped into the memory of each process, is a table of slots: whose they are
(a hash), since when they count, and how far they have come. A name may have one of ``_WAYS`` slots;
when all are taken, the one that has counted for the longest gives way, so that the table never
grows. A lock on the slots' bytes in the file makes one look and one step a single action.
"""

import fcntl
import hashlib
import math
import mmap
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SLOT = struct.Struct("=Qdd")
"""Hash of the name, start of the window (seconds), requests in it."""
_WAYS = 8
_GROUP_BYTES = _SLOT.size * _WAYS
_GROUPS = 8192
_FILE_BYTES = _GROUP_BYTES * _GROUPS


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds; a window begins with the first request in it."""

    name: str
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Count:
    """How one request stands to its limit."""

    allowed: bool
    remaining: int
    reset_seconds: int
    """After how long the window ends, rounded up."""


class RequestCounts:
    """The table. ``clock`` gives seconds that all processes of the machine agree on."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Two that make it at once make the same: zeros.
        if os.fstat(self._file).st_size != _FILE_BYTES:
            os.ftruncate(self._file, _FILE_BYTES)
        self._table = mmap.mmap(self._file, _FILE_BYTES)
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the table; the file stays, so that a restart forgets nothing."""
        self._table.close()
        os.close(self._file)

    def count(self, limit: Limit, who: str) -> Count:
        """Count one request of ``who`` under ``limit``; one that is refused does not count."""
        digest = hashlib.blake2b(f"{limit.name}\0{who}".encode(), digest_size=16).digest()
        group, key = struct.unpack("=QQ", digest)
        group = group % _GROUPS * _GROUP_BYTES
        fcntl.lockf(self._file, fcntl.LOCK_EX, _GROUP_BYTES, group)
        try:
            return self._step(limit, group, key)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _GROUP_BYTES, group)

    def _step(self, limit: Limit, group: int, key: int) -> Count:
        now = self._clock()
        place, start, used = self._find(group, key)
        # A start in the future is one from before the machine was restarted.
        if not 0 <= now - start < limit.seconds:
            start, used = now, 0.0
        allowed = used < limit.requests
        used += allowed
        _SLOT.pack_into(self._table, place, key, start, used)
        return Count(
            allowed=allowed,
            remaining=max(0, limit.requests - int(used)),
            reset_seconds=max(1, math.ceil(start + limit.seconds - now)),
        )

    def _find(self, group: int, key: int) -> tuple[int, float, float]:
        """The name's slot, or the one that it takes over: its place, start and requests."""
        oldest, oldest_start = group, math.inf
        for place in range(group, group + _GROUP_BYTES, _SLOT.size):
            owner, start, used = _SLOT.unpack_from(self._table, place)
            if owner == key:
                return place, start, used
            if start < oldest_start:
                oldest, oldest_start = place, start
        return oldest, -math.inf, 0.0
