"""An audit whose micro-batch does not fit the device starts over with half of it, once."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, CleanSourceRow, SampleScoresRow, ShardRow
from app.domain.protocol import MIN_MICRO_BATCH, Protocol
from app.domain.vocabulary import LIVE, ShardStatus
from app.errors import MeasureFailure
from worker.shards.store import Claim, held

REASON = "out-of-gpu-memory"


def replan_audit(session: Session, claim: Claim, detail: str) -> int:
    """Halve the micro-batch and put every shard back; returns how many shards nobody has a message for.

    All or nothing: scores of two micro-batches must not meet, since their last bits differ. 0 where the claim is
    lost, so that of several workers one replans. Raises MeasureFailure ``out-of-gpu-memory`` the second time.
    """
    # Not FOR UPDATE: shards that are being saved hold a key-share lock, and wait for their own row's turn.
    audit = session.get(AuditRow, claim.audit_id, with_for_update={"key_share": True})
    if audit is None or audit.status not in LIVE or not session.scalar(select(ShardRow.id).where(*held(claim))):
        return 0
    protocol = Protocol.model_validate(audit.protocol)
    half = protocol.micro_batch // 2
    if audit.replanned is not None or half < MIN_MICRO_BATCH:
        again = "" if audit.replanned is None else ", after it was halved once"
        raise MeasureFailure(REASON, f"A micro-batch of {protocol.micro_batch} samples does not fit{again}: {detail}")
    smaller = protocol.model_copy(update={"micro_batch": half})
    audit.replanned = {"reason": REASON, "micro_batch_before": protocol.micro_batch}
    audit.protocol, audit.protocol_digest = smaller.to_json(), smaller.digest()
    session.flush()
    return _start_over(session, claim)


def _start_over(session: Session, claim: Claim) -> int:
    """First the shards, which waits for those that are being saved; then the scores, theirs among them."""
    of_audit = ShardRow.audit_id == claim.audit_id
    unheard = session.scalar(select(func.count()).where(of_audit, ShardRow.status != ShardStatus.QUEUED))
    # Attempts stay: they fence whoever still runs a shard under the old plan.
    session.execute(
        update(ShardRow)
        .where(of_audit)
        .values(status=ShardStatus.QUEUED, lease_expires_at=None, samples_done=0, updated_at=func.clock_timestamp())
    )
    session.execute(delete(CleanSourceRow).where(CleanSourceRow.audit_id == claim.audit_id))
    session.execute(delete(SampleScoresRow).where(SampleScoresRow.audit_id == claim.audit_id))
    return unheard or 0
