"""Which exception tells the parent what."""

import logging

import torch

from app.errors import InputFailure, TransientFailure
from worker.wire.replies import Failed

logger = logging.getLogger(__name__)

# What libraries say that allocate for themselves; torch's own allocator has an exception of its own.
_NO_GPU_MEMORY = (
    "CUDA out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
)
_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "Cannot allocate memory")


def failed(error: Exception) -> Failed:
    """An unexpected exception counts as a crash: after a broken CUDA context no further number can be trusted."""
    if isinstance(error, InputFailure):
        return Failed(failure="input", code=error.code, detail=error.detail)
    if isinstance(error, TransientFailure):
        return Failed(failure="transient", code=error.code, detail=error.detail)
    if isinstance(error, torch.OutOfMemoryError) or _says(error, _NO_GPU_MEMORY):
        return Failed(failure="gpu-memory", code="out-of-gpu-memory", detail=_first_line(error))
    if isinstance(error, MemoryError) or _says(error, _NO_MEMORY):
        return Failed(failure="memory", code="out-of-memory", detail=_first_line(error))
    logger.error("the job ended unexpectedly", exc_info=error)
    return Failed(failure="crash", code="crashed", detail=type(error).__name__)


def _says(error: Exception, signs: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError | OSError) and any(sign in str(error) for sign in signs)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
