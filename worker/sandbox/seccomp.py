"""Which system calls are left to a process that only computes.

Three kinds of refusal: a call that nothing but an attack makes ends the process; a call that is newer than Linux 5.1
is unknown (ENOSYS), so that libraries fall back to an older one; every other call fails with EPERM.
"""

import errno
import os
from collections.abc import Sequence

from worker.sandbox.bpf import (
    ALLOW,
    ARCHITECTURE,
    KILL,
    NUMBER,
    REFUSE,
    Instruction,
    answer,
    argument,
    if_any_bit,
    if_at_least,
    if_equal,
    install,
    load,
    unless_equal,
)
from worker.sandbox.calls import FACTS, FILES, GPU, KILLED, MEMORY, SOCKET, THREADS, TIME
from worker.sandbox.kernel import architecture, number_of

_ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32 = 0x4000_0000
_FIRST_NEW = 424
_UNNAMED_FILE = 0x0040_0000  # of O_TMPFILE: a file that nobody sees
_CLONE_THREAD = 0x0001_0000
_PLAIN_IOCTLS = (0x5401, 0x5421, 0x5450, 0x5451, 0x541B)  # TCGETS, FIONBIO, FIONCLEX, FIOCLEX, FIONREAD
_SIGNALLING_IOCTLS = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP: an owner who gets a signal
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, locks; F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS. Neither
# F_SETOWN nor F_SETSIG: with those, the kernel sends any process of the same user any signal.
_PLAIN_FCNTLS = (*range(8), 36, 37, 38, 1030, 1032, 1033, 1034)
_PLAIN_PRCTLS = (15, 16, 0x5356_4D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory


def lock_calls(*, gpu: bool) -> None:
    """For good, for all threads of this process. Raises OSError where the kernel does not filter."""
    machine = architecture()
    if machine is None:
        raise OSError(errno.ENOSYS, "no table of system calls for this machine")
    install(program(machine, os.getpid(), gpu=gpu))


def program(machine: str, own_pid: int, *, gpu: bool) -> list[Instruction]:
    """For ``x86_64`` or ``aarch64``, and the process of this number."""
    allowed = (*FILES, *SOCKET, *MEMORY, *THREADS, *TIME, *FACTS, *(GPU if gpu else ()))
    steps = [load(ARCHITECTURE), *unless_equal(_ARCHITECTURES[machine], [answer(KILL)]), load(NUMBER)]
    steps += if_at_least(_X32, [answer(KILL)])
    for name in allowed:
        steps += _for(machine, name, [answer(ALLOW)])
    steps += _judged(machine, own_pid, gpu=gpu)
    # A driver may try what no other library does, and must survive to do without.
    for name in () if gpu else KILLED:
        steps += _for(machine, name, [answer(KILL)])
    steps += if_at_least(_FIRST_NEW, [answer(REFUSE | errno.ENOSYS)])
    return [*steps, answer(REFUSE | errno.EPERM)]


def _judged(machine: str, own_pid: int, *, gpu: bool) -> list[Instruction]:
    """Calls that depend on their arguments.

    Threads but no processes, limits only read, signals to itself only, no files without a name.
    """
    no = answer(REFUSE | errno.EPERM)
    steps = _for(machine, "clone", [load(argument(0)), *if_any_bit(_CLONE_THREAD, [answer(ALLOW)]), no])
    steps += _for(machine, "tgkill", [load(argument(0)), *if_equal(own_pid, [answer(ALLOW)]), no])
    for name, flags in (("openat", 2), ("open", 1)):
        steps += _for(machine, name, [load(argument(flags)), *if_any_bit(_UNNAMED_FILE, [no]), answer(ALLOW)])
    steps += _for(machine, "prctl", _one_of(0, _PLAIN_PRCTLS))
    steps += _for(machine, "fcntl", _one_of(1, _PLAIN_FCNTLS))
    new_limit = [load(argument(2, high=True)), *if_equal(0, [answer(ALLOW)])]
    steps += _for(machine, "prlimit64", [load(argument(2)), *if_equal(0, new_limit), no])
    return steps + _for(machine, "ioctl", _but(1, _SIGNALLING_IOCTLS) if gpu else _one_of(1, _PLAIN_IOCTLS))


def _one_of(index: int, values: Sequence[int]) -> list[Instruction]:
    allowed = [step for value in values for step in if_equal(value, [answer(ALLOW)])]
    return [load(argument(index)), *allowed, answer(REFUSE | errno.EPERM)]


def _but(index: int, values: Sequence[int]) -> list[Instruction]:
    refused = [step for value in values for step in if_equal(value, [answer(REFUSE | errno.EPERM)])]
    return [load(argument(index)), *refused, answer(ALLOW)]


def _for(machine: str, name: str, block: Sequence[Instruction]) -> list[Instruction]:
    number = number_of(name, machine)
    return [] if number is None else if_equal(number, block)
