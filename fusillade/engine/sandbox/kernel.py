"""System calls that Python has no function for."""

import ctypes
import os
import platform

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

ARCHITECTURES = ("x86_64", "aarch64")
"""The machines whose system call numbers we know, in the order of the table below."""

_NUMBERS = {
    "capget": (125, 90),
    "capset": (126, 91),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277),
}


class Unsupported(Exception):
    """This system does not allow a measure; the message says why."""


def architecture() -> int:
    """The place of this machine in :data:`ARCHITECTURES`. Raises :class:`Unsupported`."""
    machine = platform.machine()
    if machine not in ARCHITECTURES or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise Unsupported(f"not written for this program on {machine}")
    return ARCHITECTURES.index(machine)


def prctl(option: int, first: int = 0, second: int = 0) -> None:
    """prctl(2). Raises ``OSError``."""
    long = ctypes.c_ulong
    if _libc.prctl(option, long(first), long(second), long(0), long(0)) < 0:
        raise _error(f"prctl({option})")


def call(name: str, *arguments: object) -> int:
    """One of the system calls of the table above. Raises ``OSError``, :class:`Unsupported`."""
    number = _NUMBERS[name][architecture()]
    values = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *values))
    if result < 0:
        raise _error(name)
    return result


def _error(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")
