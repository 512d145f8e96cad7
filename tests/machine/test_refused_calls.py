"""Calls that the sandbox refuses are seen by name, and answered as the sandbox answers them."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from benchmarks.refused_calls import refused_calls
from worker.sandbox.privileges import drop_privileges


def _closed(run: Callable[[], None]) -> Callable[[], None]:
    drop_privileges()
    return run


def test_they_are_told_by_name() -> None:
    def run() -> None:
        for _ in range(2):
            with pytest.raises(PermissionError):
                socket.socket()
        with suppress(PermissionError):
            os.setuid(0)

    assert refused_calls(lambda: _closed(run)) == (
        {
            "number 41" if os.uname().machine == "x86_64" else "number 198": 2,
            "number 105" if os.uname().machine == "x86_64" else "number 146": 1,
        },
        0,
    )


def test_a_process_that_dies_is_told() -> None:
    def run() -> None:
        os._exit(7)

    assert refused_calls(lambda: _closed(run)) == ({}, 7)
