"""Whose work a claimed shard is: its log lines and spans belong to the request that made its audit.

A message says only that there is work, and the reconciler may have sent it; the audit's row says for whom.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from app.db.session import transaction
from app.db.tables import AuditRow
from app.observability.log_context import bound
from app.observability.origin import ids_of
from app.observability.tracing import span
from worker.shards.store import Claim

logger = logging.getLogger(__name__)


@contextmanager
def shard_context(engine: Engine, claim: Claim, asked_at_ns: int) -> Iterator[None]:
    """From the claim, which was asked for at ``asked_at_ns`` (time.time_ns), to the block's end."""
    with transaction(engine) as session:
        origin = session.scalar(select(AuditRow.origin).where(AuditRow.id == claim.audit_id)) or {}
    ids = {"audit_id": str(claim.audit_id), "shard_id": str(claim.shard_id)}
    with bound(**ids_of(origin), **ids), span("shard", ids_of(origin) | ids, parent=origin, since_ns=asked_at_ns):
        with span("claim", since_ns=asked_at_ns):
            pass  # over already: before, it was not known which trace it belongs to
        yield
        seconds = round((time.time_ns() - asked_at_ns) / 1e9, 3)
        facts = {"samples": claim.stop - claim.start, "attempt": claim.attempt, "seconds": seconds}
        logger.info("shard of samples %s to %s is over", claim.start, claim.stop, extra={"facts": facts})
