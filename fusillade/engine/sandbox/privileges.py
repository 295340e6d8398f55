"""Who a script host is: nobody, where its parent is root; and without capabilities."""

import ctypes
import os
import resource
from collections.abc import Callable

from fusillade.engine.sandbox.kernel import Unsupported, call, prctl

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAP_KILL, _CAP_SETGID, _CAP_SETUID = 5, 6, 7
_CAPABILITY_VERSION = 0x20080522  # 3: two words of 32 bits for each set
_FIRST_USER = 2_100_000_000
"""Above every range that systems give out; the process id is added, so that each host has its
own and none may touch another."""
_NOBODY = 65534
_MOST_TASKS = 512
"""Threads of a host that is a user of its own."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def no_new_privileges() -> str:
    """No program that this process starts may have more rights than it has (setuid and such)."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return "no program may give more rights"


def not_to_be_looked_into() -> str:
    """No other process of the same user may trace this one or read its memory."""
    prctl(_PR_SET_DUMPABLE, 0)
    return "others of the same user may not look into it"


def become_nobody(readable: Callable[[], bool]) -> str:
    """As root, become a user that owns nothing; returns that in words.

    ``readable`` tells whether the effective user can read what is needed later on. Raises
    :class:`Unsupported`.
    """
    if os.geteuid() != 0:
        raise Unsupported("not root, so it stays the user that it is")
    needed = 1 << _CAP_KILL | 1 << _CAP_SETGID | 1 << _CAP_SETUID
    if _capabilities()[0].effective & needed != needed:
        # Without the first our parent could not end us.
        raise Unsupported("root without the capabilities kill, setgid and setuid")
    for user in (_FIRST_USER + os.getpid(), _NOBODY):
        try:
            os.seteuid(user)
        except OSError:
            continue  # not a user of this user namespace
        try:
            may_read = readable()
        finally:
            os.seteuid(0)
        if not may_read:
            raise Unsupported("Python's files can be read by root only")
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        if user != _NOBODY:
            resource.setrlimit(resource.RLIMIT_NPROC, (_MOST_TASKS, _MOST_TASKS))
        return f"number {user}, who owns nothing"
    raise Unsupported("this user namespace has root alone")


def drop_capabilities(readable: Callable[[], bool]) -> str:
    """Give up every capability for good; returns that in words. Raises :class:`Unsupported`."""
    before = _capabilities()
    if before[0].effective or before[1].effective:
        _set_capabilities([(0, word.permitted, word.inheritable) for word in before])
        may_read = readable()
        _set_capabilities([(word.effective, word.permitted, word.inheritable) for word in before])
        if not may_read:
            raise Unsupported("Python's files can be read with them only")
        for number in range(64):
            try:
                prctl(_PR_CAPBSET_DROP, number)
            except OSError:
                break  # no such capability, or no right to drop: no_new_privs holds anyway
    # The ambient ones go with them.
    _set_capabilities([(0, 0, 0), (0, 0, 0)])
    return "all of them dropped"


def _capabilities() -> ctypes.Array[_Sets]:
    sets = (_Sets * 2)()
    call("capget", ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), ctypes.byref(sets))
    return sets


def _set_capabilities(words: list[tuple[int, int, int]]) -> None:
    sets = (_Sets * 2)(*(_Sets(*word) for word in words))
    call("capset", ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), ctypes.byref(sets))
