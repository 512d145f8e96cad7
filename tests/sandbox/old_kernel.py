"""A kernel without Landlock, for a process and its children: as old ones and some containers' filters answer."""

import errno

from worker.sandbox.bpf import ALLOW, NUMBER, REFUSE, answer, if_equal, install, load
from worker.sandbox.kernel import architecture, number_of, prctl

_SET_NO_NEW_PRIVS = 38


def without_landlock() -> None:
    """For ``preexec_fn``: from now on there is no such system call."""
    number = number_of("landlock_create_ruleset", architecture() or "")
    assert number is not None
    prctl(_SET_NO_NEW_PRIVS, 1)
    install([load(NUMBER), *if_equal(number, [answer(REFUSE | errno.ENOSYS)]), answer(ALLOW)])
