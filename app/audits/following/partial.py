"""Results so far: what the stored scores of an audit say before its end, or of one that never came to a good one."""

import asyncio
import json
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audits.repository import get_audit, models_of, results_of
from app.audits.states import check_kept
from app.datasets.repository import get_dataset
from app.db.session import TenantEngine
from app.db.tables import AuditRow, ShardRow
from app.domain.problems import audits
from app.domain.results.documents import PartialResultsDocument, ResultsDocument
from app.domain.vocabulary import AuditStatus, ShardStatus
from app.map_sets.repository import map_sets_of
from app.results.document import results_document
from app.results.inputs import AuditInputs
from app.results.subjects import shown

Key = tuple[str, str, int]

KEPT = 16
CHEAP_SECONDS = 0.5
WORK_SHARE = 0.1
"""The most of its time that a live audit's document is made anew, where it is not cheap."""


@dataclass(frozen=True)
class _Kept:
    key: Key
    content: bytes
    made_at: float
    seconds: float

    def is_good(self, key: Key) -> bool:
        """The same, or of the same protocol and, for what it cost, new enough: it tells how many samples it holds."""
        is_new = time.monotonic() - self.made_at < max(self.seconds - CHEAP_SECONDS, 0) / WORK_SHARE
        return self.key == key or (self.key[:2] == key[:2] and is_new)


class PartialResults:
    """One document at a time, in a thread of its own; kept until more shards are done.

    Bootstrap intervals of many samples take seconds: whoever polls must neither hold up other requests nor make the
    same numbers twice.
    """

    def __init__(self, max_samples: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="partial-results")
        self._max_samples = max_samples
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()

    async def read(self, tenant: TenantEngine, audit_id: UUID) -> bytes:
        """JSON: the document of ``results`` with ``partial`` and ``samples_done``. Raises NotFound or Conflict."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, tenant, audit_id)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, tenant: TenantEngine, audit_id: UUID) -> bytes:
        # All queries of a document see the same shards done.
        engine = tenant.engine.execution_options(isolation_level="REPEATABLE READ")
        with TenantEngine(engine, tenant.tenant_id).session() as session:
            audit = get_audit(session, audit_id)
            done = stored_samples(session, audit_id)
            key = (audit.status, audit.protocol_digest, done)
            kept = self._kept.pop(audit_id, None)
            if kept is None or not kept.is_good(key):
                started = time.monotonic()
                document = _document(session, audit, done, self._max_samples)
                content = json.dumps(document, allow_nan=False).encode()
                kept = _Kept(key, content, started, time.monotonic() - started)
        self._kept[audit_id] = kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept.content


def stored_samples(session: Session, audit_id: UUID) -> int:
    """Samples of the shards that are done: their scores are all there."""
    samples = func.coalesce(func.sum(ShardRow.stop - ShardRow.start), 0)
    done = select(samples).where(ShardRow.audit_id == audit_id, ShardRow.status == ShardStatus.DONE)
    return session.scalars(done).one()


def _document(session: Session, audit: AuditRow, done: int, max_samples: int) -> PartialResultsDocument:
    if audit.status == AuditStatus.SUCCEEDED:
        return _partial(results_of(session, audit.id), done, partial=False)
    check_kept(audit)
    if done > max_samples:
        raise audits.PARTIAL_TOO_LARGE.error(most=max_samples)
    dataset, models = get_dataset(session, audit.dataset_id), tuple(models_of(session, audit.id))
    inputs = AuditInputs(audit, dataset, models, tuple(map_sets_of(session, audit.id)))
    # The versions are known to the worker that ends the audit.
    return _partial(shown(results_document(session, inputs, None)), done, partial=True)


def _partial(document: ResultsDocument, done: int, *, partial: bool) -> PartialResultsDocument:
    return cast("PartialResultsDocument", {"partial": partial, "samples_done": done, **document})
