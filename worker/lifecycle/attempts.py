"""What a crash of a child costs is another attempt, whatever the child was asked to do."""

import logging
from collections.abc import Callable
from typing import TypeVar

from app.errors import InputFailure
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import WorkerStopping
from worker.supervision.endings import ChildDied, DeviceFailed, End, OutOfGpuMemory

logger = logging.getLogger(__name__)

Found = TypeVar("Found")


def attempted(context: WorkerContext, look: Callable[[], Found], *, of: str, did: str) -> Found:
    """A crash may be somebody else's doing, so it is tried again; what is too slow or too large stays so.

    ``of`` whose process it is stands in the log, ``did`` what it did in the failure.

    Raises InputFailure, and WorkerStopping where the device is of no use any more.
    """
    attempt = 1
    while True:
        try:
            return look()
        except OutOfGpuMemory as shortage:
            detail = f"The GPU has no memory for it. {shortage.detail}"
            raise InputFailure(End.TOO_MUCH_MEMORY, detail) from shortage
        except DeviceFailed as fault:
            logger.warning("%s, attempt %s: the device failed: %s", of, attempt, fault.detail)
            if not context.children.device_works():
                raise WorkerStopping from fault
            if attempt >= context.settings.max_shard_attempts:
                raise InputFailure("device-failed", f"Each time the device failed: {fault.detail}") from fault
        except ChildDied as death:
            logger.warning("%s, attempt %s: %s", of, attempt, death.detail)
            if death.end is not End.CRASHED or attempt >= context.settings.max_shard_attempts:
                raise InputFailure(death.end, f"The process that {did} was lost. {death.detail}") from death
        attempt += 1
