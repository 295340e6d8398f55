"""The filter of system calls: those of :mod:`allowed` are let through, the rest is refused.

A refused call fails with EPERM, as if the user had no right to it: libraries that try something
and fall back go on. Calls that are newer than our table fail with ENOSYS, as on an older kernel,
and so does clone3, whose flags a filter cannot see; the C library then takes clone.
See seccomp(2).
"""

import ctypes
import errno

from fusillade.engine.sandbox import bpf
from fusillade.engine.sandbox.allowed import CALLS, Call, conditions
from fusillade.engine.sandbox.kernel import Unsupported, architecture, call

_SET_MODE_FILTER = 1
_TSYNC = 1
_SPEC_ALLOW = 4
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_ALLOW = 0x7FFF0000

_AUDIT_ARCHITECTURE = (0xC000003E, 0xC00000B7)
_LAST_KNOWN = 451
_CLONE3 = 435


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls() -> str:
    """Put the filter in force for all threads of this process; returns that in words.

    Needs no_new_privs. Raises :class:`Unsupported`.
    """
    program = assemble(architecture())
    header = _Program(bpf.length(program), program)
    # SPEC_ALLOW: without it older kernels slow all code down (speculative store bypass), to hide
    # from the script what is in its own process, where nothing is that it may not know.
    for flags in (_TSYNC | _SPEC_ALLOW, _TSYNC):
        try:
            thread = call("seccomp", _SET_MODE_FILTER, flags, ctypes.byref(header))
        except OSError as error:
            if error.errno == errno.EINVAL and flags & _SPEC_ALLOW:
                continue
            raise Unsupported(error.strerror or str(error)) from error
        if thread:
            raise Unsupported(f"thread {thread} has a filter of its own")
        break
    return f"system calls: {len(CALLS)} are allowed, the rest is refused"


def assemble(machine: int) -> bytes:
    """The program for the machine at this place of ``ARCHITECTURES``."""
    program = [
        bpf.load(bpf.ARCHITECTURE),
        bpf.if_equal(_AUDIT_ARCHITECTURE[machine], 1),
        bpf.give(_KILL_PROCESS),
        bpf.load(bpf.CALL_NUMBER),
    ]
    conditional = conditions()
    for name, numbers in CALLS.items():
        number = numbers[machine]
        if number is not None:
            block = _verdict(conditional.get(name))
            program += [bpf.unless_equal(number, bpf.length(block)), block]
    for test in (bpf.unless_equal(_CLONE3, 1), bpf.unless_greater(_LAST_KNOWN, 1)):
        program += [test, bpf.give(_ERRNO | errno.ENOSYS)]
    program.append(bpf.give(_ERRNO | errno.EPERM))
    return b"".join(program)


def _verdict(only_if: Call | None) -> bytes:
    """What to do with a call that is in the table; it ends in every case."""
    refuse = bpf.give(_ERRNO | errno.EPERM)
    program = bpf.give(_ALLOW)
    # From the last condition to the first: each refuses, or goes on with what is there already.
    for index, bits, values in reversed(only_if or ()):
        tests = b"".join(
            bpf.if_equal(value, len(values) - place) for place, value in enumerate(values)
        )
        program = bpf.load(bpf.argument(index)) + bpf.mask(bits) + tests + refuse + program
    return program
