"""The typed arrays that the engine and the script's runtime share (see runtime/exchange.js).

Nothing but calls without arguments crosses the language border while a test runs: each value
that crosses costs a microsecond and leaks. So both sides hold the same arrays, and a whole batch
of completions or operations is written on one side and read on the other.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from struct import Struct
from typing import Any

import numpy as np

COMPLETION_COLUMNS = 20
COMPLETION_BATCH = 1024
OPERATION_COLUMNS = 8
WAKE_BATCH = 4096
COMMAND_BATCH = 64
EVENT_COLUMNS = 6
EVENT_BATCH = 256
SCENARIO_COLUMNS = 8
MOST_SCENARIOS = 64

# A row's columns 2..14 are `fusillade.metrics.requests.REQUEST_COLUMNS`.
REQUEST_SLICE = slice(2, 15)

_COMPLETION = Struct("20d")
_COMPLETION_BYTES = COMPLETION_COLUMNS * 8
OPERATION = Struct(f"{OPERATION_COLUMNS}d")


class Cell(IntEnum):
    """Control cells; mirrored by CELL in exchange.js."""

    COMPLETIONS = 0
    WAKES = 1
    COMMANDS = 2
    IN_BYTES = 3
    OPERATIONS = 4
    VALUES = 5
    OUT_BYTES = 6
    GROWN = 7
    MORE = 8
    NOW = 9
    WANTED_IN_BYTES = 10
    EPOCH = 11
    EVENTS = 16


class Kind(IntEnum):
    """Operations of the runtime; mirrored by KIND in worker.js."""

    REQUEST = 1
    SLEEP = 2
    DEFINE_TEMPLATE = 3
    DEFINE_SERIES = 4
    DEFINE_METRIC = 5
    LOG = 6
    RESULT = 7
    ERROR = 8
    FORGET_TEMPLATES = 9
    CANCEL = 10
    CHECKS = 11
    OWN = 12
    LEAVE = 13
    FAILURE = 14
    OPEN = 32
    SEND_TEXT = 33
    SEND_BASE64 = 34
    SEND_BYTES = 35
    RECEIVE = 36
    CLOSE = 37


class Command(IntEnum):
    """Commands of the engine; mirrored by COMMAND in worker.js."""

    TARGET = 1
    ITERATE = 2
    STOP = 3
    DROP = 4


class ScenarioCell(IntEnum):
    """Counters of one scenario since the start; mirrored by S in worker.js."""

    ACTIVE = 0
    STARTED = 1
    ENDED = 2
    DROPPED = 3
    FAILED = 4
    INTERRUPTED = 5


class Exchange:
    """Python's view of the arrays. ``pump`` runs the script's side over what was put in."""

    def __init__(
        self,
        arrays: Callable[[], Mapping[str, memoryview]],
        pump: Callable[[], None],
        grow_in_bytes: Callable[[], None],
    ) -> None:
        self._arrays = arrays
        self._pump = pump
        self._grow_in_bytes = grow_in_bytes
        self._attach()

    def _attach(self) -> None:
        views = self._arrays()
        self._control: Any = views["control"]
        self._completions = views["completions"].cast("B")
        self._rows = np.frombuffer(views["completions"], dtype=np.float64).reshape(
            COMPLETION_BATCH, COMPLETION_COLUMNS
        )
        self._wakes = views["wakes"]
        self._commands = views["commands"]
        self._events = views["events"]
        self._in_bytes = views["inBytes"]
        self._in_capacity = len(self._in_bytes)
        self._operations = views["operations"].cast("B")
        self._values = np.frombuffer(views["values"], dtype=np.float64).reshape(-1, 2)
        self._out_bytes = views["outBytes"]
        self.scenarios = np.frombuffer(views["scenarios"], dtype=np.float64).reshape(
            MOST_SCENARIOS, SCENARIO_COLUMNS
        )
        self._control[Cell.GROWN] = 0
        self._completed = 0
        self._in_used = 0

    def complete(
        self, row: tuple[float, ...], content: bytes, head_length: int, sets_cookies: bool
    ) -> bool:
        """Put one finished request in.

        ``row``: slot, protocol, and the 13 REQUEST_COLUMNS; ``content``: headers
        (``head_length`` bytes), then the body; ``sets_cookies``: whether ``Set-Cookie`` is among
        the headers.
        Returns False when this batch is full: pump, then try again.
        """
        completed = self._completed
        if completed >= COMPLETION_BATCH:
            return False
        used = self._in_used
        length = len(content)
        if used + length > self._in_capacity:
            if completed:
                return False
            self._control[Cell.WANTED_IN_BYTES] = length
            self._grow_in_bytes()
            self._attach()
            used = 0
        if length:
            self._in_bytes[used : used + length] = content
            self._in_used = used + length
        _COMPLETION.pack_into(
            self._completions,
            completed * _COMPLETION_BYTES,
            *row,
            used,
            head_length,
            length - head_length,
            sets_cookies,
            content.isascii(),
        )
        self._completed = completed + 1
        return True

    def room(self) -> tuple[memoryview, int, memoryview, int]:
        """Where native code puts finished requests as :meth:`complete` does: rows and how many
        there are; bytes and how many are used."""
        return self._completions, self._completed, self._in_bytes, self._in_used

    def taken(self, completed: int, used: int) -> None:
        """What native code has made of :meth:`room`."""
        self._completed = completed
        self._in_used = used

    def rows(self) -> np.ndarray:
        """The completions put in since the last pump, REQUEST_COLUMNS only, shape (n, 13)."""
        return self._rows[: self._completed, REQUEST_SLICE]

    @property
    def has_completions(self) -> bool:
        return self._completed > 0

    def deliver(self, slot: int, kind: int, connection: int, content: bytes) -> bool:
        """Put one event of a connection in (see ``fusillade.engine.streams``).

        ``slot``: who waits for it, -1 for nobody. Returns False when this batch is full.
        """
        count = int(self._control[Cell.EVENTS])
        if count >= EVENT_BATCH:
            return False
        used = self._in_used
        length = len(content)
        if used + length > self._in_capacity:
            if count:
                return False
            # Requests that ended in this turn keep their place.
            completed = self._completed
            self._control[Cell.WANTED_IN_BYTES] = used + length
            self._grow_in_bytes()
            self._attach()
            self._completed = completed
        if length:
            self._in_bytes[used : used + length] = content
            self._in_used = used + length
        at = count * EVENT_COLUMNS
        for column, value in enumerate((slot, kind, connection, used, length)):
            self._events[at + column] = value
        self._control[Cell.EVENTS] = count + 1
        return True

    def wake(self, slots: list[int]) -> None:
        """Sleepers to wake; at most WAKE_BATCH."""
        for index, slot in enumerate(slots):
            self._wakes[index] = slot
        self._control[Cell.WAKES] = len(slots)

    def command(self, kind: Command, scenario: int, amount: int = 0) -> bool:
        """Queue a command; False when the batch is full."""
        count = int(self._control[Cell.COMMANDS])
        if count >= COMMAND_BATCH:
            return False
        at = count * 4
        self._commands[at] = kind
        self._commands[at + 1] = scenario
        self._commands[at + 2] = amount
        self._control[Cell.COMMANDS] = count + 1
        return True

    def put_text(self, text: bytes) -> None:
        """Text for the next call of a runtime function, which reads it from the start."""
        if len(text) > self._in_capacity:
            self._control[Cell.WANTED_IN_BYTES] = len(text)
            self._grow_in_bytes()
            self._attach()
        self._in_bytes[: len(text)] = text
        self._control[Cell.IN_BYTES] = len(text)

    def pump(self, now_ms: float) -> bool:
        """Run the script over what was put in; True when it has more to do at once."""
        control = self._control
        control[Cell.NOW] = now_ms
        control[Cell.COMPLETIONS] = self._completed
        self._pump()
        self._completed = 0
        self._in_used = 0
        return control[Cell.MORE] != 0

    def operations(self) -> tuple[memoryview, int, memoryview]:
        """What the script asked for: rows of 8 doubles (slot, kind, six arguments) as bytes, how
        many there are, and the bytes of all rows one behind the other (how many a row has, its
        arguments tell).

        Call :meth:`operations_taken` when they are carried out.
        """
        if self._control[Cell.GROWN]:
            self._attach()
        return self._operations, int(self._control[Cell.OPERATIONS]), self._out_bytes

    def operations_taken(self) -> None:
        """Make room for new operations."""
        self._control[Cell.OPERATIONS] = 0
        self._control[Cell.OUT_BYTES] = 0

    @property
    def value_count(self) -> int:
        """How many pairs :meth:`values` would take."""
        return int(self._control[Cell.VALUES])

    def values(self) -> np.ndarray:
        """Take the (metric number, value) pairs recorded since the last time, shape (n, 2)."""
        if self._control[Cell.GROWN]:
            self._attach()
        count = int(self._control[Cell.VALUES])
        self._control[Cell.VALUES] = 0
        return self._values[:count].copy()
