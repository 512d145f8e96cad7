"""Memory of a GPU, asked of its driver (NVML): unlike CUDA this takes no memory of the GPU itself."""

import ctypes
from dataclasses import dataclass

_NAME_BYTES = 96


@dataclass(frozen=True)
class GpuMemory:
    """Of a whole device, whoever uses it."""

    name: str
    used_bytes: int
    total_bytes: int


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def read_gpu_memory(visible_devices: str | None) -> GpuMemory | None:
    """Of the first device of ``CUDA_VISIBLE_DEVICES`` (numbers or UUIDs; None: of the first there is).

    None where there is no driver or no such device.
    """
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    if nvml.nvmlInit_v2():
        return None
    try:
        return _read(nvml, visible_devices)
    finally:
        nvml.nvmlShutdown()


def _read(nvml: ctypes.CDLL, visible_devices: str | None) -> GpuMemory | None:
    device, memory, name = ctypes.c_void_p(), _Memory(), ctypes.create_string_buffer(_NAME_BYTES)
    first = "0" if visible_devices is None else visible_devices.partition(",")[0].strip()
    if first.isdecimal():
        failed = nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(first)), ctypes.byref(device))
    else:
        failed = nvml.nvmlDeviceGetHandleByUUID(first.encode(), ctypes.byref(device))
    if failed or nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)):
        return None
    if nvml.nvmlDeviceGetName(device, name, ctypes.c_uint(_NAME_BYTES)):
        return None
    return GpuMemory(name.value.decode(errors="replace"), memory.used, memory.total)
