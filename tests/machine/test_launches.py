"""What the engine asks of a GPU, counted on a stand-in whose operations really run."""

import os
import subprocess
import sys


def test_launches_and_waits_keep_their_budget() -> None:
    """At most 1.25 times the bare passes' launches and three waits a batch, and the CPU's bits: else the status is 1.

    In a process of its own, since the stand-in takes torch's place for devices of others; with one thread, since two
    would wait for each other for as long as one computes.
    """
    command = [sys.executable, "-m", "benchmarks.launches"]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr[-2000:]
    assert "| bare forward passes | 3850 | 1 | |" in found.stdout
    assert "bit for bit: yes" in found.stdout
