"""How often the reconciler had to send again, for ``/metrics``."""

from collections.abc import Iterable

from sqlalchemy import Engine

from app.db.counters import Tally, add
from app.db.identifiers import new_id
from app.db.session import transaction
from app.queue import TaskName


def count_resends(engine: Engine, sent: Iterable[TaskName]) -> None:
    """One entry a message that was sent."""
    amounts: dict[tuple[Tally, str], float] = {}
    for task in sent:
        amounts[Tally.RESENDS, task] = amounts.get((Tally.RESENDS, task), 0.0) + 1
    if amounts:
        with transaction(engine) as session:
            add(session, new_id(), amounts)
