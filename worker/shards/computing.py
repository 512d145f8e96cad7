"""Every row of a shard, computed by a child under the shard's lease."""

import logging
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import SampleRow
from app.errors import InputFailure
from app.storage.blobs import BlobStore
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import Lease
from worker.shards.clean_maps import cached_maps, clean_keys
from worker.shards.first_findings import FirstFindings
from worker.shards.listed_samples import ListedSamples, contents_of
from worker.shards.request import Row, RowTable, shard_job
from worker.shards.setbacks import CRASHED
from worker.shards.store import Claim, extend_lease, read_inputs, read_samples
from worker.supervision.children import PoolKey
from worker.supervision.events import Answer
from worker.wire.jobs import ShardJob
from worker.wire.replies import Progress

logger = logging.getLogger(__name__)


class Computed(NamedTuple):
    """What is to be stored: rows, keys of the clean maps among them, and what was found of samples that nobody had
    looked at."""

    rows: list[Row]
    clean_keys: list[str]
    first_findings: FirstFindings


class Computation:
    """Of one claimed shard; knows afterwards how far it came."""

    def __init__(self, context: WorkerContext, claim: Claim) -> None:
        self._context = context
        self._claim = claim
        self.lease = Lease(context, self._extend, of=f"shard {claim.shard_id}")
        self._done = 0
        self._micro_batch = 0

    @property
    def at_work(self) -> range:
        """The audit's samples that come next: those of the micro-batch that was begun."""
        start = self._claim.start + self._done
        return range(start, min(start + self._micro_batch, self._claim.stop))

    @property
    def micro_batch(self) -> int:
        """0 until the shard is read."""
        return self._micro_batch

    def compute(self) -> Computed:
        """Raises what ended the child, AuditFailure, LeaseLost and WorkerStopping."""
        claim = self._claim
        if claim.attempt > self._context.settings.max_shard_attempts:
            detail = f"Samples {claim.start} to {claim.stop} ended their worker {claim.attempt - 1} times."
            raise InputFailure(CRASHED, detail)
        with transaction(self._context.engine) as session:
            inputs = read_inputs(session, claim.audit_id)
            samples = read_samples(session, inputs.audit, claim.start, claim.stop)
            job = shard_job(session, inputs, samples)
            keys = self._clean_keys(job, inputs.audit.tenant_id)
            job = self._with_known_maps(session, job, keys, samples)
            blobs, settings = self._context.blobs, self._context.settings
            contents = contents_of(session, blobs, settings, job.archive_digest, samples)
        pool_key = PoolKey(inputs.audit.tenant_id, frozenset(model.digest for model in job.models))
        with contents as store:
            rows, found = self._converse(pool_key, job, samples, store)
        return Computed(rows, keys, found)

    def _clean_keys(self, job: ShardJob, tenant_id: UUID) -> list[str]:
        settings = self._context.settings
        if not settings.reuse_clean_maps:
            return []
        return clean_keys(job, tenant_id, self._context.device_class, settings.threads)

    def _with_known_maps(self, session: Session, job: ShardJob, keys: list[str], samples: list[SampleRow]) -> ShardJob:
        cached = cached_maps(session, job, keys, samples)
        if cached:
            logger.info("shard %s: %s clean maps are cached", self._claim.shard_id, len(cached))
        return job.model_copy(update={"cached": tuple(cached)})

    def _converse(
        self, pool_key: PoolKey, job: ShardJob, samples: list[SampleRow], store: ListedSamples | BlobStore
    ) -> tuple[list[Row], FirstFindings]:
        self._micro_batch = job.protocol.micro_batch
        table = RowTable(self._claim, samples, job)
        found = FirstFindings(samples, job, store.digests if isinstance(store, ListedSamples) else {})
        with self._context.children.warm(pool_key) as child:
            for event in child.converse(job, store):
                if isinstance(event, Answer):
                    table.take(event)
                    found.take(event)
                    self._done = event.reply.done if isinstance(event.reply, Progress) else self._done
                self.lease.keep()
        return table.finished(), found

    def _extend(self, session: Session, seconds: float) -> bool:
        """With how far it is."""
        return extend_lease(session, self._claim, self._done, seconds)
