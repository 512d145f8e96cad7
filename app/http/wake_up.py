"""Wake a worker after a commit; what does not arrive is sent again by the reconciler."""

import logging
from uuid import UUID

from app.domain.vocabulary import DeviceClass
from app.errors import Unavailable
from app.queue import TaskName, TaskQueue

logger = logging.getLogger(__name__)


def wake_worker(queue: TaskQueue, task: TaskName, resource_id: UUID) -> None:
    """The row is committed: a broker that is away costs time, not the work."""
    try:
        queue.send(task, resource_id)
    except Unavailable:
        logger.warning("the broker is away; %s %s waits for the reconciler", task, resource_id)


def wake_for_shards(queue: TaskQueue, device_class: DeviceClass, count: int) -> None:
    """Likewise for the shards of a new audit."""
    try:
        queue.wake_for_shards(device_class, count)
    except Unavailable:
        logger.warning("the broker is away; %s shards wait for the reconciler", count)
