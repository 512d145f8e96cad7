"""What becomes of a shard under which a device failed: another try, unless the fault comes again with its samples.

An illegal access, memory that cannot be corrected or a lost device are seldom the model's doing; a pass that breaks any
device is. They look alike, and the second breaks at the same samples again.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db.tables import ShardRow
from worker.shards.counts import count_device_fault
from worker.shards.store import Claim, held

CODE = "device-failed"
MOST_FAULTS = 10
"""Of a shard, wherever they were."""


def note_device_fault(session: Session, claim: Claim, first: int, micro_batch: int) -> str | None:
    """The batch from sample ``first`` on is remembered as the one that was at work; nothing where the claim is lost.

    None where it is worth another try, else why it is not. What a device says is heard up to a batch late, so that its
    neighbours count as the same.
    """
    before = session.scalar(select(ShardRow.device_faults).where(*held(claim)).with_for_update())
    if before is None:
        return None
    count_device_fault(session, claim.shard_id)
    session.execute(update(ShardRow).where(*held(claim)).values(device_faults=[*before, first]))
    if any(abs(first - earlier) <= micro_batch for earlier in before):
        return "as it did at these samples before"
    return f"after {len(before)} other faults in this shard" if len(before) + 1 >= MOST_FAULTS else None
