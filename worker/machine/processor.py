"""What of a machine decides about the last bits of a score, asked without torch, which would cost the parent 800 MB."""

import json
import os
import platform
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

from app.domain.vocabulary import DeviceClass
from worker.machine.device_class import gpu_names
from worker.machine.gpu_memory import driver_version

TF32 = "off"
"""As `worker.machine.device.compute_exactly` sets it, and `worker.supervision.environment` lets no variable change."""
_CUDNN = "nvidia-cudnn"


@lru_cache(maxsize=2)
def processor_of(kind: DeviceClass) -> str:
    """JSON of words by name: of a CPU its model and how many of it; of a GPU the driver, cuDNN and TF32 as well."""
    facts = {"processor": _cpu()} if kind is DeviceClass.CPU else _gpu()
    return json.dumps(facts, sort_keys=True)


def _cpu() -> str:
    cores = Path("/proc/cpuinfo")
    lines = cores.read_text(encoding="utf-8").splitlines() if cores.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{platform.machine()} {model} {os.cpu_count()}"


def _gpu() -> dict[str, str]:
    """Its first GPU: a worker computes on no other."""
    names = gpu_names()
    return {
        "processor": names[0] if names else "unknown",
        "driver": driver_version() or "unknown",
        "cudnn": _cudnn(),
        "tf32": TF32,
    }


def _cudnn() -> str:
    """Of the wheel that torch brings along; one of the system's is as old as its torch."""
    found = ((one.metadata["Name"] or "", one.version) for one in distributions())
    return next((version for name, version in found if name.startswith(_CUDNN)), "unknown")
