"""Parts of `make gpu` about the machine: what it is, how fast it decodes, what the benchmark makes of it."""

import os
import subprocess
import sys

import torch

from benchmarks.decoding import decoders, jpegs, rate
from benchmarks.gpu_audit import Failed
from benchmarks.machine import describe
from worker.machine.cores import core_count, decoder_count
from worker.machine.device import device_class_of
from worker.machine.device_class import device_class
from worker.machine.gpu_memory import driver_version, read_gpu_memory
from worker.sandbox.landlock import version

PICTURES_A_SECOND, MANY_CORES = 500, 16
"""Two-megapixel JPEGs that so many cores decode beside a GPU."""


def facts(device: torch.device) -> str:
    """What it is, and that parent, child, torch and NVML speak of the same device."""
    if device_class(str(device)) is not device_class_of(device):
        raise Failed(f"the driver finds a {device_class('auto')}, torch a {device_class_of(device)}")
    if device.type != "cuda":
        return describe()
    free, total = torch.cuda.mem_get_info(device)
    seen = read_gpu_memory(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if seen is None or abs(seen.total_bytes - total) > total / 10:
        raise Failed(f"NVML says {seen}, torch {total} bytes")
    landlock = f"driver {driver_version()}, Landlock {version()}"
    return f"{describe()} {landlock}, {free >> 20} of {total >> 20} MiB free."


def tests(_: torch.device) -> str:
    """Of the paths of a GPU that need none: they hold here too."""
    subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/machine"], check=True)
    return "tests/machine"


def jpeg(device: torch.device) -> str:
    """Two-megapixel photographs decoded by as many processes as a child has beside this device."""
    cores = core_count(0)
    count = max(1, decoder_count(None, cores, device_class_of(device)))
    with decoders(count) as remote:
        found = rate(jpegs(2), remote)
    told = f"{found:.0f} photographs of two megapixels a second by {count} decoders on {cores} cores"
    if device.type != "cpu" and cores >= MANY_CORES and found < PICTURES_A_SECOND:
        raise Failed(f"{told}, asked for are {PICTURES_A_SECOND}")
    return told


def speed(_: torch.device) -> str:
    """The benchmark's own form for a GPU, which prints its tables: whole audits among them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--form", "gpu"], stdout=subprocess.PIPE, text=True, check=True
    )
    print(done.stdout)
    if "(missed)" in done.stdout:
        raise Failed("a target was missed: see the tables above")
    return "see the tables above"
