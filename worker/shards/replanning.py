"""An audit whose micro-batch does not fit the device starts over with half of it, once."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ShardRow
from app.domain.protocol import MIN_MICRO_BATCH, Protocol
from app.domain.vocabulary import LIVE
from app.errors import MeasureFailure
from worker.shards.starting_over import start_over
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
    return start_over(session, claim.audit_id)
