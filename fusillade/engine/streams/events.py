"""What happens to a connection, as the script's runtime is told."""

from enum import IntEnum


class Event(IntEnum):
    """Mirrored by EVENT in runtime/connections.js."""

    OPENED = 1
    FAILED = 2
    TEXT = 3
    BINARY = 4
    RECORD = 5
    LOST = 6
    ENDED = 7
    SENT = 8
    NOT_SENT = 9
    NOTHING = 10
