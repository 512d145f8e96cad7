"""What the numbers were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def describe() -> str:
    """One paragraph: processor, memory, versions, settings; nothing that names the machine."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("torch", "torchvision", "grad-cam", "scikit-image", "scipy")
    )
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {_memory_gib():.0f} GiB, GPU: {gpu}; "
        f"Python {platform.python_version()}, {packages}; {torch.get_num_threads()} torch threads, float32, "
        "the heap kept (`keep_heap`: glibc neither maps nor trims) unless a row says otherwise."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model} ({torch.backends.cpu.get_cpu_capability()})"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
