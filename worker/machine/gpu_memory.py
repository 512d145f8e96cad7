"""Memory of a GPU, asked of its driver (NVML): unlike CUDA this takes no memory of the GPU itself."""

from contextlib import suppress
from dataclasses import dataclass

import pynvml


@dataclass(frozen=True)
class GpuMemory:
    """Of a whole device, whoever uses it."""

    name: str
    used_bytes: int
    total_bytes: int


def read_gpu_memory(visible_devices: str | None) -> GpuMemory | None:
    """Of the first device of ``CUDA_VISIBLE_DEVICES``: numbers, or UUIDs or how they begin; None: the first there is.

    None where there is no driver or no such device.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return _read("0" if visible_devices is None else visible_devices.partition(",")[0].strip())
    except (pynvml.NVMLError, UnicodeDecodeError):  # the latter of a name that is none
        return None
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def driver_version() -> str | None:
    """None where there is no driver."""
    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError:
        return None
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _read(device: str) -> GpuMemory:
    handle = _found(device)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return GpuMemory(pynvml.nvmlDeviceGetName(handle), memory.used, memory.total)


def _found(device: str) -> object:
    """Of a number or a UUID. CUDA takes the beginning of one as well, NVML none but a whole one."""
    if device.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(device))
    if not device.startswith("GPU-"):
        return pynvml.nvmlDeviceGetHandleByUUID(device)
    handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
    for handle in handles:
        if pynvml.nvmlDeviceGetUUID(handle).startswith(device):
            return handle
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
