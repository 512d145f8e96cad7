"""The little language in which the kernel is told what to do with a system call."""

import ctypes
from collections.abc import Sequence

from worker.sandbox.kernel import call

ALLOW = 0x7FFF_0000
KILL = 0x8000_0000
REFUSE = 0x0005_0000  # plus the error number that the caller sees
NUMBER, ARCHITECTURE = 0, 4

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_SET_MODE_FILTER, _ALL_THREADS = 1, 1

Instruction = tuple[int, int, int, int]
"""Operation, how far to jump where it holds, where it does not, operand."""


def argument(index: int, *, high: bool = False) -> int:
    """Where half of an argument lies, on a little-endian machine."""
    return 16 + 8 * index + 4 * high


def load(place: int) -> Instruction:
    return _LOAD, 0, 0, place


def answer(action: int) -> Instruction:
    return _RETURN, 0, 0, action


def if_equal(value: int, block: Sequence[Instruction]) -> list[Instruction]:
    """``block`` runs where the loaded word is ``value``."""
    return [(_EQUAL, 0, len(block), value), *block]


def unless_equal(value: int, block: Sequence[Instruction]) -> list[Instruction]:
    return [(_EQUAL, len(block), 0, value), *block]


def if_at_least(value: int, block: Sequence[Instruction]) -> list[Instruction]:
    return [(_AT_LEAST, 0, len(block), value), *block]


def if_any_bit(bits: int, block: Sequence[Instruction]) -> list[Instruction]:
    return [(_ANY_BIT, 0, len(block), bits), *block]


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def install(program: Sequence[Instruction]) -> None:
    """For every thread of this process, for good. Needs no_new_privs. Raises OSError."""
    instructions = (_Instruction * len(program))(*(_Instruction(*one) for one in program))
    given = _Program(len(program), instructions)
    unready = call("seccomp", _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(given))
    if unready:
        raise OSError(f"thread {unready} cannot take the filter")
