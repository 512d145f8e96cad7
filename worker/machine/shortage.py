"""What libraries raise where there is no memory left, or where a GPU itself has failed."""

import torch

# What libraries say that allocate for themselves; torch's own allocator has an exception of its own.
_NO_GPU_MEMORY = (
    "CUDA out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "unable to find an engine to execute this computation",  # cuDNN, where no plan's workspace fits
    "CUDA ran out of memory outside PyTorch's allocator",
    "CUDA error: out of memory",
)
# A device's own fault (an Xid, memory that cannot be corrected) and a pass that broke its context look alike.
_DEVICE_FAULTS = (
    "CUDA error:",
    "CUDA driver error:",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "GPU is lost",
    "GPU has fallen off the bus",
)
_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "Cannot allocate memory")


def is_gpu_shortage(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or _says(error, _NO_GPU_MEMORY)


def is_device_fault(error: Exception) -> bool:
    """After one no pass of the process can be trusted, nor end; another process may find the device well."""
    return not is_gpu_shortage(error) and (isinstance(error, torch.AcceleratorError) or _says(error, _DEVICE_FAULTS))


def is_shortage(error: Exception) -> bool:
    """Of the process's own memory."""
    return isinstance(error, MemoryError) or _says(error, _NO_MEMORY)


def _says(error: Exception, signs: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError | OSError) and any(sign in str(error) for sign in signs)
