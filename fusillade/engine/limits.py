"""What a script host gives up before it runs foreign code."""

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends, however the parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        # The parent was gone before the kernel knew.
        os._exit(1)


def restrict(memory_bytes: int) -> list[str]:
    """Give up what no script needs; returns what is in force, in words.

    ``memory_bytes`` limits the data segment (RLIMIT_DATA), not the address space: SpiderMonkey
    reserves gigabytes of that for code without using them.
    """
    in_force = []
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    in_force.append("no new privileges")
    _prctl(_PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    in_force.append(f"memory at most {memory_bytes >> 20} MiB")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    in_force.append("no file may grow")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return in_force


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}) failed: {os.strerror(code)}")
