"""Landlock: the files that a process may open, kept by the kernel for a process that asks for it.

See landlock(7), and linux/landlock.h for the numbers. Each version of the kernel's interface
handles more; what an older one does not handle is not restricted.
"""

import ctypes
import os
from pathlib import Path

from fusillade.engine.sandbox.kernel import Unsupported, call

_VERSION = 1  # flag: ask for the version instead
_PATH_BENEATH = 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
# Rights over files: 13 at first, then refer, truncate, and ioctl on devices.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_BIND_TCP = 1
_ABSTRACT_UNIX_SOCKETS, _SIGNALS = 1, 2


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def read_only(places: list[Path]) -> str:
    """From now on this thread, and those that it starts, may only read, and only what is at or
    below ``places``; returns that in words.

    Needs no_new_privs. Raises :class:`Unsupported`.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise Unsupported("there are threads already, which it would not hold for")
    try:
        version = call("landlock_create_ruleset", None, 0, _VERSION)
    except OSError as error:
        raise Unsupported(error.strerror or str(error)) from error
    files = _FILE_RIGHTS[max(since for since in _FILE_RIGHTS if since <= version)]
    rules = _Ruleset(files, 0, 0)
    size = 8
    if version >= 4:
        rules.network = _BIND_TCP
        size = 16
    if version >= 6:
        rules.scoped = _ABSTRACT_UNIX_SOCKETS | _SIGNALS
        size = 24
    ruleset = -1
    try:
        ruleset = call("landlock_create_ruleset", ctypes.byref(rules), size, 0)
        for place in places:
            _allow(ruleset, place)
        call("landlock_restrict_self", ruleset, 0)
    except OSError as error:
        raise Unsupported(error.strerror or str(error)) from error
    finally:
        if ruleset >= 0:
            os.close(ruleset)
    return f"only files of Python, DNS and TLS can be opened, to be read (version {version})"


def _allow(ruleset: int, place: Path) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there for this user: nothing to allow
    try:
        rights = _READ_FILE | _READ_DIR if place.is_dir() else _READ_FILE
        beneath = _Beneath(rights, descriptor)
        call("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(descriptor)
