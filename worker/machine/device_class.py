"""Which kind of processor a worker has, asked of the driver: importing torch would cost the parent 800 MB."""

import ctypes
from functools import lru_cache

from app.domain.vocabulary import DeviceClass

_NAME_BYTES = 256


def device_class(wanted: str) -> DeviceClass:
    """What decides about a score's last bits, and about the queue that a worker listens to."""
    if wanted == "auto":
        return DeviceClass.GPU if gpu_names() else DeviceClass.CPU
    return DeviceClass.CPU if wanted == "cpu" else DeviceClass.GPU


@lru_cache(maxsize=1)
def gpu_names() -> tuple[str, ...]:
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
