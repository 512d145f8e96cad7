"""How often the reconciler had to send again, for ``/metrics``."""

from collections.abc import Mapping

from sqlalchemy import Engine

from app.db.counters import Tally, add
from app.db.identifiers import new_id
from app.db.session import transaction
from app.queue import TaskName


def count_resends(engine: Engine, sent: Mapping[TaskName, int]) -> None:
    """How many messages of each task were sent."""
    amounts = {(Tally.RESENDS, str(task)): float(number) for task, number in sent.items() if number}
    if amounts:
        with transaction(engine) as session:
            add(session, new_id(), amounts)
