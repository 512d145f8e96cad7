"""`python -m benchmarks.gpu` (`make gpu`): every path that needs a CUDA device, each part a process with its own limit.

Prints pass, fail or not run for each part, and exits with 1 where any failed. Without a device all are not run, which
is no failure; ``--device cpu`` runs the parts that a processor can run, to see that they work.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import torch

from benchmarks import gpu_engine, gpu_machine, gpu_methods, gpu_processes, gpu_service
from benchmarks.limited import run_within
from worker.machine.device import compute_exactly, pick_device


class Part(NamedTuple):
    """``limit`` in seconds, on a device; a CPU has three times as long."""

    run: Callable[[torch.device], str]
    limit: int
    on_cpu: bool


# Under eight minutes together, should each take all its time.
PARTS: dict[str, Part] = {
    "facts": Part(gpu_machine.facts, 20, on_cpu=True),
    "tests": Part(gpu_machine.tests, 30, on_cpu=True),
    "numbers": Part(gpu_engine.numbers, 45, on_cpu=True),
    "methods": Part(gpu_methods.methods, 30, on_cpu=True),
    "deformations": Part(gpu_methods.deformations, 20, on_cpu=True),
    "walls": Part(gpu_processes.walls, 40, on_cpu=True),
    "shortage": Part(gpu_engine.shortage, 30, on_cpu=False),
    "growth": Part(gpu_engine.growth, 30, on_cpu=True),
    "killed": Part(gpu_processes.killed, 30, on_cpu=False),
    "service": Part(gpu_service.service, 45, on_cpu=True),
    "together": Part(gpu_service.together, 50, on_cpu=True),
    "jpeg": Part(gpu_machine.jpeg, 20, on_cpu=True),
    "speed": Part(gpu_machine.speed, 85, on_cpu=False),
}
_ON_CPU = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--part", choices=PARTS)
    given = parser.parse_args()
    if given.part:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a part ends its service
        compute_exactly()
        print(PARTS[given.part].run(pick_device(given.device)))
        return 0
    outcomes = {name: _outcome(name, part, given.device) for name, part in PARTS.items()}
    print("\n| part | outcome |\n| --- | --- |")
    print("\n".join(f"| {name} | {outcome} |" for name, outcome in outcomes.items()))
    if all(outcome.startswith("not run") for outcome in outcomes.values()):
        print("No part was run: there is no CUDA device here.")
    return int(any(outcome.startswith("fail") for outcome in outcomes.values()))


def _outcome(name: str, part: Part, device: str) -> str:
    if device != "cpu" and not torch.cuda.is_available():
        return "not run: no CUDA device"
    if device == "cpu" and not part.on_cpu:
        return "not run: needs a CUDA device"
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", device, "--part", name]
    limit = part.limit * (_ON_CPU if device == "cpu" else 1)
    try:
        done = run_within(command, limit)
    except subprocess.TimeoutExpired:
        return f"fail: over {limit} s"
    print(done.stdout, end="")
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return f"{'pass' if done.returncode == 0 else 'fail'}: {lines[-1] if lines else done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
