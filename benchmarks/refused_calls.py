"""System calls that the sandbox refuses a process, written down as it makes them.

The kernel asks another process (SECCOMP_RET_USER_NOTIF) about every call that the sandbox's own filter would refuse;
that one notes it, and gives the answer that the filter would have given.
"""

import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable

from worker.child.forks import fork
from worker.sandbox.bpf import REFUSE
from worker.sandbox.kernel import architecture, call
from worker.sandbox.seccomp import program
from worker.sandbox.syscalls import NUMBERS

_RETURN, _ACTION = 0x06, 0xFFFF_0000
_ASK = 0x7FC0_0000
_SET_MODE_FILTER = 1
_FOR_ALL_THREADS_AND_A_LISTENER = 1 | 1 << 3 | 1 << 4
_RECEIVE, _SEND = 0xC050_2100, 0xC018_2101
_NOTICE, _ANSWER = struct.Struct("=QIIiI7Q"), struct.Struct("=QqiI")
_FIRST_NEW = 424
_TICK_MILLISECONDS = 200


def refused_calls(prepare: Callable[[], Callable[[], None]]) -> tuple[Counter[str], int]:
    """By name, with how often; and the exit status of the process that made them.

    There ``prepare`` is called first, then the filter of a GPU's child is closed, and then what it returned is called.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = fork(lambda: _watched(theirs, prepare))
        theirs.close()
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        refused = _answered(descriptors[0]) if descriptors else Counter[str]()
    return refused, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _watched(line: socket.socket, prepare: Callable[[], Callable[[], None]]) -> int:
    run = prepare()
    socket.send_fds(line, [b"!"], [_listened()])
    run()
    return 0


def _listened() -> int:
    """The sandbox's filter for all threads, with questions in place of refusals; where they are asked."""
    steps = [
        (code, yes, no, _ASK if code == _RETURN and operand & _ACTION == REFUSE else operand)
        for code, yes, no, operand in program(architecture() or "", os.getpid(), gpu=True)
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    given = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    return call("seccomp", _SET_MODE_FILTER, _FOR_ALL_THREADS_AND_A_LISTENER, ctypes.byref(given))


def _answered(listener: int) -> Counter[str]:
    """Until no process is left that could ask."""
    machine = architecture() == "aarch64"
    names = {pair[machine]: name for name, pair in NUMBERS.items() if pair[machine] is not None}
    found: Counter[str] = Counter()
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        events = dict(poll.poll(_TICK_MILLISECONDS)).get(listener, 0)
        if events & select.POLLIN:
            notice = bytearray(_NOTICE.size)
            try:
                fcntl.ioctl(listener, _RECEIVE, notice)
                asked, _, _, number, *_ = _NOTICE.unpack(notice)
                found[names.get(number, f"number {number}")] += 1
                refusal = errno.ENOSYS if number >= _FIRST_NEW else errno.EPERM
                fcntl.ioctl(listener, _SEND, _ANSWER.pack(asked, 0, -refusal, 0))
            except FileNotFoundError:  # whoever asked is gone
                continue
        elif events:
            os.close(listener)
            return found
