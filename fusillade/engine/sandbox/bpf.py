"""Programs for the kernel's classic BPF machine, as far as a seccomp filter needs it.

The machine has one accumulator. An instruction is ``struct sock_filter`` of linux/filter.h: a
16-bit code, two 8-bit jumps (relative to the next instruction, forwards only), a 32-bit operand.
What a filter loads from is ``struct seccomp_data`` of linux/seccomp.h.
"""

import struct

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_GREATER = 0x25  # BPF_JMP | BPF_JGT | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

CALL_NUMBER = 0
ARCHITECTURE = 4


def argument(index: int) -> int:
    """Where the low 32 bits of a system call's argument are, on a little-endian machine."""
    return 16 + 8 * index


def load(offset: int) -> bytes:
    """The accumulator becomes the 32-bit word at ``offset``."""
    return _INSTRUCTION.pack(_LOAD_WORD, 0, 0, offset)


def mask(bits: int) -> bytes:
    """The accumulator keeps only ``bits``."""
    return _INSTRUCTION.pack(_AND, 0, 0, bits)


def unless_equal(value: int, skip: int) -> bytes:
    """Skip ``skip`` instructions unless the accumulator is ``value``."""
    return _INSTRUCTION.pack(_JUMP_EQUAL, 0, skip, value)


def if_equal(value: int, skip: int) -> bytes:
    """Skip ``skip`` instructions if the accumulator is ``value``."""
    return _INSTRUCTION.pack(_JUMP_EQUAL, skip, 0, value)


def unless_greater(value: int, skip: int) -> bytes:
    """Skip ``skip`` instructions unless the accumulator is greater than ``value``."""
    return _INSTRUCTION.pack(_JUMP_GREATER, 0, skip, value)


def give(action: int) -> bytes:
    """End with a seccomp action."""
    return _INSTRUCTION.pack(_RETURN, 0, 0, action)


def length(program: bytes) -> int:
    """The number of instructions."""
    return len(program) // _INSTRUCTION.size
