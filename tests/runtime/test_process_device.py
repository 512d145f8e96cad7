"""Device, threads and heap of a worker process."""

import subprocess
import sys

import pytest
import torch

from worker.machine.device import pick_device, use_threads


def test_pick_device() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_use_threads() -> None:
    before = torch.get_num_threads()
    try:
        assert use_threads(1) == torch.get_num_threads() == 1
        assert use_threads(0) == torch.get_num_threads() >= 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone has mallopt")
def test_kept_heap_saves_page_faults() -> None:
    """In a process of its own, since the setting cannot be taken back."""
    code = """
import resource, torch
from worker.machine.device import keep_heap
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(12_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
torch.ones(12_000_000)
mapped = faults()
assert keep_heap()
faults()  # the heap grows to what is needed
assert faults() < mapped / 5, mapped
"""
    subprocess.run([sys.executable, "-c", code], check=True)
