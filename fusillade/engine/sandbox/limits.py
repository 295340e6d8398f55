"""Limits that the kernel keeps for a process, and its end with its parent's."""

import os
import resource
import signal

from fusillade.engine.sandbox.kernel import prctl

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends, however the parent ends.

    A change of the user takes this back: call it again then.
    """
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        # The parent was gone before the kernel knew.
        os._exit(1)


def set_limits(memory_bytes: int) -> str:
    """Limit what the process may take; returns that in words.

    ``memory_bytes`` limits the data segment (RLIMIT_DATA), not the address space: SpiderMonkey
    reserves gigabytes of that for code without using them.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    for none in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK):
        resource.setrlimit(none, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return f"memory at most {memory_bytes >> 20} MiB, no file may grow, no core dumps"
