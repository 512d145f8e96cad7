"""System calls that Python has no function for."""

import ctypes
import errno
import os
import platform
import sys
from functools import lru_cache

from worker.sandbox.syscalls import NUMBERS

_PRCTL_ARGUMENTS = 4


@lru_cache(maxsize=1)
def architecture() -> str | None:
    """``x86_64`` or ``aarch64``; None on any other machine or system."""
    machine = platform.machine()
    return machine if sys.platform == "linux" and machine in {"x86_64", "aarch64"} and sys.maxsize > 2**32 else None


def number_of(name: str, machine: str) -> int | None:
    """Of a system call; None where such a machine has none of that name."""
    return NUMBERS[name][machine == "aarch64"]


def call(name: str, *arguments: object) -> int:
    """What the kernel answers. Raises OSError, on a machine without a table as well."""
    machine = architecture()
    number = number_of(name, machine) if machine else None
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in (number, *arguments)]
    return _checked(_libc().syscall(*words))


def prctl(option: int, *arguments: int) -> int:
    """Raises OSError."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    padded = [*arguments, *[0] * (_PRCTL_ARGUMENTS - len(arguments))]
    return _checked(_libc().prctl(ctypes.c_int(option), *(ctypes.c_ulong(word) for word in padded)))


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
