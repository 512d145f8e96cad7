"""Which kind of processor a worker has, asked of the driver: importing torch would cost the parent 800 MB."""

import ctypes
import os
import platform
from functools import lru_cache
from pathlib import Path

from app.domain.vocabulary import DeviceClass

_NAME_BYTES = 256


def device_class(wanted: str) -> DeviceClass:
    """What decides about a score's last bits, and about the queue that a worker listens to."""
    if wanted == "auto":
        return DeviceClass.GPU if _gpu_names() else DeviceClass.CPU
    return DeviceClass.CPU if wanted == "cpu" else DeviceClass.GPU


@lru_cache(maxsize=2)
def processor(kind: DeviceClass) -> str:
    """The model of the processor and how many of it: scores of two models may differ in their last bits."""
    if kind is DeviceClass.GPU:
        return ", ".join(_gpu_names())
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{platform.machine()} {model} {os.cpu_count()}"


@lru_cache(maxsize=1)
def _gpu_names() -> tuple[str, ...]:
    """As CUDA counts them, CUDA_VISIBLE_DEVICES included; none without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ()
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    names = [ctypes.create_string_buffer(_NAME_BYTES) for _ in range(count.value)]
    for device, name in enumerate(names):
        driver.cuDeviceGetName(name, _NAME_BYTES, device)
    return tuple(name.value.decode() for name in names)
