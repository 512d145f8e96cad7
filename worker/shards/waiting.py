"""A shard that could not go on: it pauses, for a source that is away ever longer, and not for ever."""

from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ShardRow
from app.errors import InputFailure
from app.settings import Settings
from app.sources.patience import note_try, pause_seconds
from worker.shards.store import Claim, release_shard

FAULT_PAUSE_SECONDS = 2.0
"""After a fault from outside (a blob store or a database that is away, say), which may not have passed."""


def wait_or_end(session: Session, claim: Claim, failure: Exception, settings: Settings) -> InputFailure | None:
    """Gives the shard back, which costs no attempt; what its audit fails for where a source stayed away too long."""
    shard, audit = session.get(ShardRow, claim.shard_id, with_for_update=True), session.get(AuditRow, claim.audit_id)
    if shard is None or audit is None or shard.attempt != claim.attempt:
        return None
    final = note_try(session, shard, audit.dataset_id, failure, settings)
    if final is None:
        pause = pause_seconds(shard) if shard.source_tries else FAULT_PAUSE_SECONDS
        release_shard(session, claim, counted=False, pause_seconds=pause)
    return final
