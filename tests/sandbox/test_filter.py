"""The filter of system calls, run by a small interpreter, for both machines that there are tables for."""

import errno

import pytest

from worker.sandbox.bpf import ALLOW, KILL, REFUSE, Instruction
from worker.sandbox.calls import KILLED
from worker.sandbox.seccomp import program
from worker.sandbox.syscalls import NUMBERS

ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
OWN_PID = 1234
EPERM, ENOSYS = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS


def judge(steps: list[Instruction], architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would answer."""
    words = [number, architecture, 0, 0]
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        words += [value & 0xFFFF_FFFF, value >> 32]
    place = loaded = 0
    while True:
        operation, yes, no, operand = steps[place]
        place += 1
        if operation == 0x06:
            return operand
        if operation == 0x20:
            loaded = words[operand // 4]
        else:
            holds = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}[operation]
            place += yes if holds else no


def refused(name: str, machine: str) -> int:
    return ENOSYS if (NUMBERS[name][machine == "aarch64"] or 0) >= 424 else EPERM


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("device", ["cpu", "gpu"])
class TestFilter:
    def answer(self, machine: str, device: str, name: str, *arguments: int) -> int:
        number = NUMBERS[name][machine == "aarch64"]
        assert number is not None
        return judge(program(machine, OWN_PID, gpu=device == "gpu"), ARCHITECTURES[machine], number, arguments)

    def test_numbers_are_distinct(self, machine: str, device: str) -> None:  # noqa: ARG002 - the same for both
        numbers = [pair[machine == "aarch64"] for pair in NUMBERS.values()]
        known = [number for number in numbers if number is not None]
        assert len(set(known)) == len(known)

    def test_computing_is_allowed(self, machine: str, device: str) -> None:
        for name in ("read", "write", "mmap", "futex", "clock_gettime", "exit_group", "sendto", "recvmsg", "openat"):
            assert self.answer(machine, device, name) == ALLOW, name

    def test_attacks_end_the_process(self, machine: str, device: str) -> None:
        for name in KILLED:
            if NUMBERS[name][machine == "aarch64"] is not None:
                assert self.answer(machine, device, name) == (KILL if device == "cpu" else refused(name, machine)), name

    def test_arguments_decide(self, machine: str, device: str) -> None:
        assert self.answer(machine, device, "clone", 0x3D0F00) == ALLOW
        assert self.answer(machine, device, "clone", 0x1200011) == EPERM
        assert self.answer(machine, device, "tgkill", OWN_PID, 1, 6) == ALLOW
        assert self.answer(machine, device, "tgkill", OWN_PID + 1, 1, 6) == EPERM
        assert self.answer(machine, device, "prctl", 15) == ALLOW
        assert self.answer(machine, device, "prctl", 1, 0) == EPERM
        assert self.answer(machine, device, "prlimit64", 0, 7, 0, 1 << 40) == ALLOW
        assert self.answer(machine, device, "prlimit64", 0, 7, 1 << 40, 0) == EPERM
        assert self.answer(machine, device, "prlimit64", 0, 7, 8, 0) == EPERM
        assert self.answer(machine, device, "openat", 0, 0, 0o20200000) == EPERM
        for command, expected in ((2, ALLOW), (1030, ALLOW), (8, EPERM), (10, EPERM), (15, EPERM), (1026, EPERM)):
            assert self.answer(machine, device, "fcntl", 0, command) == expected, command
        assert self.answer(machine, device, "ioctl", 0, 0x8901) == EPERM
        assert self.answer(machine, device, "ioctl", 0, 0x5412) == (ALLOW if device == "gpu" else EPERM)

    def test_what_it_does_not_know(self, machine: str, device: str) -> None:
        steps = program(machine, OWN_PID, gpu=device == "gpu")
        assert judge(steps, ARCHITECTURES[machine], 435) == ENOSYS
        assert judge(steps, ARCHITECTURES[machine], 10_000) == ENOSYS
        for name in ("pipe2", "socketpair"):
            number = {"pipe2": (293, 59), "socketpair": (53, 199)}[name][machine == "aarch64"]
            assert judge(steps, ARCHITECTURES[machine], number) == (ALLOW if name == "pipe2" else EPERM)

    def test_other_machines_calls_end_the_process(self, machine: str, device: str) -> None:
        steps = program(machine, OWN_PID, gpu=device == "gpu")
        for architecture in (0x4000_0003, 0x4000_0028, *(set(ARCHITECTURES.values()) - {ARCHITECTURES[machine]})):
            assert judge(steps, architecture, 0) == KILL
        assert judge(steps, ARCHITECTURES[machine], 0x4000_0000) == KILL
