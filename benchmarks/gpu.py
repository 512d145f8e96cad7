"""`python -m benchmarks.gpu` (`make gpu`): every path that needs a CUDA device, each part a process with its own limit.

Prints pass, fail or not run for each part, and exits with 1 where any failed. Without a device all are not run, which
is no failure; ``--device cpu`` runs the parts that a processor can run, to see that they work.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from app.demo.service import running_service
from app.domain.protocol import ProtocolRequest
from benchmarks.audits import PROTOCOL, Service
from benchmarks.machine import describe
from benchmarks.subjects import SIZE, archive, batch, network, normalise
from salience_audit import Client
from worker.engine.measuring import ModelAuditor, Outcome
from worker.machine.device import compute_exactly, pick_device
from worker.machine.shortage import is_gpu_shortage
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

IMAGES = 16
MAPS, SCORES, FLIPPED = 1e-5, 5e-3, 1e-3
"""Largest difference of a map before rounding and of a score, and share of 8-bit cells that differ, GPU from CPU."""


class Failed(Exception):
    """A part did not hold what it should."""


class Part(NamedTuple):
    """``limit`` in seconds."""

    run: Callable[[torch.device], str]
    limit: int
    on_cpu: bool


def facts(device: torch.device) -> str:
    """What it is, and that a tensor made on it is where the worker says."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{describe()} {free >> 20} of {total >> 20} MiB free."
    return describe()


def numbers(device: torch.device) -> str:
    """The engine's maps and scores against the CPU's, and its own bits twice."""
    found, again, expected = _audited(device), _audited(device), _audited(torch.device("cpu"))
    clean, reference = found.clean.maps.native.cpu(), expected.clean.maps.native
    maps = float((clean - reference).abs().max())
    flipped = float(((clean * 255).to(torch.uint8) != (reference * 255).to(torch.uint8)).double().mean())
    scores = max(
        float((score.values.cpu() - expected.scores[column].values).abs().nan_to_num().max())
        for column, score in found.scores.items()
    )
    pairs = ((one.maps.native, again.observations[name].maps.native) for name, one in found.observations.items())
    same = all(torch.equal(one, other) for one, other in pairs)
    told = f"maps {maps:.1e}, 8-bit cells {flipped:.2%}, scores {scores:.1e}, same bits twice: {same}"
    if not (maps <= MAPS and flipped <= FLIPPED and scores <= SCORES and same):
        raise Failed(told)
    return told


def _audited(device: torch.device) -> Outcome:
    protocol = ProtocolRequest.model_validate(PROTOCOL).resolve()
    explainer = make_explainer(protocol.salience.method, TargetHook(network("resnet18", device), input_size=SIZE))
    names = tuple(f"{number}.png" for number in range(IMAGES))
    images = ImageBatch(batch(IMAGES, torch.device("cpu")), names)
    truth = torch.zeros(IMAGES, dtype=torch.int64)
    return ModelAuditor(explainer, normalise, protocol, (0, 1), device).audit(images, truth)


def shortage(device: torch.device) -> str:
    """A shortage of memory is known for one, and the device serves again afterwards."""
    torch.cuda.set_per_process_memory_fraction(0.01, device)
    try:
        _audited(device)
    except RuntimeError as error:
        if not is_gpu_shortage(error):
            raise
    else:
        raise Failed("a hundredth of the memory was enough")
    torch.cuda.set_per_process_memory_fraction(1.0, device)
    torch.cuda.empty_cache()
    _audited(device)
    return "known, and over once there is memory"


def service(device: torch.device) -> str:
    """An audit through the API, in the sandboxed child, on the class of the device."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder), {"DEVICE": str(device)}) as (url, key),
    ):
        client = Client(url, key)
        dataset = client.push_dataset(archive(IMAGES), name="photographs")
        running = Service(client, dataset["id"], IMAGES)
        seconds = running.audit(running.upload("resnet18"), 1)
        (audited,) = client.audits()
        wanted = "cpu" if device.type == "cpu" else "gpu"
        if audited["device_class"] != wanted:
            raise Failed(f"it ran on {audited['device_class']}")
        return f"{IMAGES} images in {seconds:.1f} s"


def tests(_: torch.device) -> str:
    """Of the paths of a GPU that need none: they hold here too."""
    subprocess.run([sys.executable, "-m", "pytest", "tests/machine"], check=True)
    return "tests/machine"


def speed(_: torch.device) -> str:
    """The benchmark's own form for a GPU, which prints its tables."""
    subprocess.run([sys.executable, "-m", "benchmarks.run", "--form", "gpu"], check=True)
    return "see the tables above"


PARTS: dict[str, Part] = {
    "facts": Part(facts, 60, on_cpu=True),
    "tests": Part(tests, 60, on_cpu=True),
    "numbers": Part(numbers, 90, on_cpu=True),
    "shortage": Part(shortage, 60, on_cpu=False),
    "service": Part(service, 120, on_cpu=True),
    "speed": Part(speed, 180, on_cpu=False),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--part", choices=PARTS)
    given = parser.parse_args()
    if given.part:
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
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=part.limit, check=False)
    except subprocess.TimeoutExpired:
        return f"fail: over {part.limit} s"
    print(done.stdout, end="")
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return f"{'pass' if done.returncode == 0 else 'fail'}: {lines[-1] if lines else done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
