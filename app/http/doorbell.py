"""Ring the worker's door after a commit; whoever does not hear it is reminded by the reconciler."""

import logging
from uuid import UUID

from app.errors import Unavailable
from app.queue import TaskName, TaskQueue

logger = logging.getLogger(__name__)


def ring(queue: TaskQueue, task: TaskName, resource_id: UUID) -> None:
    """The row is committed: a broker that is away costs time, not the work."""
    try:
        queue.send(task, resource_id)
    except Unavailable:
        logger.warning("the broker is away; %s %s waits for the reconciler", task, resource_id)
