"""Which kind of processor a worker has, asked of the driver: importing torch would cost the parent 800 MB."""

import ctypes

from app.domain.vocabulary import DeviceClass


def device_class(wanted: str) -> DeviceClass:
    """What decides about a score's last bits, and about the queue that a worker listens to."""
    if wanted == "auto":
        return DeviceClass.GPU if _visible_gpus() else DeviceClass.CPU
    return DeviceClass.CPU if wanted == "cpu" else DeviceClass.GPU


def _visible_gpus() -> int:
    """As CUDA counts them, CUDA_VISIBLE_DEVICES included; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value
