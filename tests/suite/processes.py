"""The processes of pytest: which of them run tests, and what each may take of the machine."""

import os
import shlex
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence

WORKER, WORKERS = "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"
"""What pytest-xdist sets in the environment of the processes that it starts."""


def hands_out(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a process that was started so gives tests to others, as ``pytest -n`` does, and runs none itself.

    Asked before pytest has read its options: what it imports must be known by then.
    """
    options = ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("-n", "--numprocesses", default="0")
    options.add_argument("--pdb", action="store_true")  # with it, `-n auto` starts nobody
    asked, _ = options.parse_known_args([*shlex.split(environment.get("PYTEST_ADDOPTS", "")), *arguments])
    return WORKER not in environment and asked.numprocesses != "0" and not asked.pdb


def share_of_cores(environment: Mapping[str, str]) -> int:
    """Cores for this process and what it starts; at least one."""
    return max(1, len(os.sched_getaffinity(0)) // int(environment.get(WORKERS, "1")))
