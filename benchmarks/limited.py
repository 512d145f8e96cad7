"""Runs a command for so long at most, and leaves nothing of it behind."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

import psutil

GRACE_SECONDS = 10.0
"""In which what is over its limit may end its servers in order."""


def run_within(command: Sequence[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    """With what it wrote. Raises TimeoutExpired once it has ended, and all that it started."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        out, told = process.communicate(timeout=seconds)
    except BaseException:
        end(process)
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, told)


def end(process: "subprocess.Popen[str]") -> None:
    """Ask it to end, then kill it with its group and whatever is below it: servers have sessions of their own."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        family = [root, *root.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(family, GRACE_SECONDS)
        for one in {*left, *(root.children(recursive=True) if root.is_running() else ())}:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
