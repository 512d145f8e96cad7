"""Results so far: what the stored scores of an audit say before its end, or of one that never came to a good one."""

import asyncio
import json
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.audits.repository import get_audit, models_of, results_of
from app.datasets.repository import get_dataset
from app.db.tables import AuditRow, Json, ShardRow
from app.domain.vocabulary import AuditStatus, ShardStatus
from app.results.document import results_document
from app.results.inputs import AuditInputs

Key = tuple[UUID, str, str, int]

KEPT = 16


class PartialResults:
    """One document at a time, in a thread of its own; kept until more shards are done.

    Bootstrap intervals of many samples take seconds: whoever polls must neither hold up other requests nor make the
    same numbers twice.
    """

    def __init__(self, engine: Engine) -> None:
        # All queries of a document see the same shards done.
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="partial-results")
        self._kept: OrderedDict[Key, bytes] = OrderedDict()

    async def read(self, audit_id: UUID) -> bytes:
        """The document as JSON: that of ``results`` with ``partial`` and ``samples_done``. Raises NotFound."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, audit_id)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, audit_id: UUID) -> bytes:
        with Session(self._engine) as session:
            audit = get_audit(session, audit_id)
            done = stored_samples(session, audit_id)
            key = (audit_id, audit.status, audit.protocol_digest, done)
            if key not in self._kept:
                self._kept[key] = json.dumps(_document(session, audit, done), allow_nan=False).encode()
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


def stored_samples(session: Session, audit_id: UUID) -> int:
    """Samples of the shards that are done: their scores are all there."""
    samples = func.coalesce(func.sum(ShardRow.stop - ShardRow.start), 0)
    done = select(samples).where(ShardRow.audit_id == audit_id, ShardRow.status == ShardStatus.DONE)
    return session.scalars(done).one()


def _document(session: Session, audit: AuditRow, done: int) -> Json:
    if audit.status == AuditStatus.SUCCEEDED:
        return {"partial": False, "samples_done": done} | results_of(session, audit.id)
    inputs = AuditInputs(audit, get_dataset(session, audit.dataset_id), tuple(models_of(session, audit.id)))
    # The versions are known to the worker that ends the audit.
    return {"partial": True, "samples_done": done} | results_document(session, inputs, None)
