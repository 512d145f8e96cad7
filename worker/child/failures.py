"""Which exception tells the parent what."""

import errno
import logging

from app.errors import InputFailure, TransientFailure
from worker.machine.shortage import is_device_fault, is_gpu_shortage, is_shortage
from worker.wire.replies import Failed

logger = logging.getLogger(__name__)

_NO_SPACE = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EMFILE})


def failed(error: Exception) -> Failed:
    """An unexpected exception counts as a crash: no further number of this process can be trusted."""
    if isinstance(error, InputFailure):
        return Failed(failure="input", code=error.code, detail=error.detail, facts=error.facts)
    if isinstance(error, TransientFailure):
        return Failed(failure="transient", code=error.code, detail=error.detail)
    if is_gpu_shortage(error) or is_device_fault(error):
        return _of_gpu(error)
    if is_shortage(error):
        return Failed(failure="memory", code="out-of-memory", detail=_first_line(error))
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return Failed(failure="space", code="out-of-space", detail=type(error).__name__)
    logger.error("the job ended unexpectedly", exc_info=error)
    return Failed(failure="crash", code="crashed", detail=type(error).__name__)


def _of_gpu(error: Exception) -> Failed:
    if is_gpu_shortage(error):
        return Failed(failure="gpu-memory", code="out-of-gpu-memory", detail=_first_line(error))
    return Failed(failure="device", code="device-failed", detail=_first_line(error))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
