"""What a shard found of samples that nobody had looked at: of a listing the first audit that reads one tells."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, func, update
from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import SampleStatus
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.facts import ImageFacts
from worker.wire.jobs import ShardJob


class FirstFindings:
    """Of one shard's samples."""

    def __init__(self, samples: Sequence[SampleRow], job: ShardJob, digests: Mapping[int, bytes]) -> None:
        """``digests`` are what the parent read, by offset."""
        self._samples = samples
        self._asked = frozenset(job.unexamined)
        self._digests = digests
        self._found: dict[int, ImageFacts] = {}

    def take(self, answer: Answer) -> None:
        """Raises ChildDied where it speaks of a sample that nobody asked about."""
        facts = answer.reply
        if not isinstance(facts, ImageFacts):
            return
        if facts.number not in self._asked:
            raise ChildDied(End.CRASHED, "It looked at a sample that nobody asked about.")
        self._found[facts.number] = facts

    def save(self, session: Session) -> None:
        """In the transaction that stores the shard's scores; what another audit found first stays."""
        # In one order, or two audits would wait for each other's rows.
        found = sorted(self._found.values(), key=lambda facts: self._samples[facts.number].id)
        bad = sum(self._save_one(session, facts) for facts in found if facts.code is not None)
        readable = [self._values(facts) for facts in found if facts.code is None]
        if readable:
            session.connection().execute(_UPDATE, readable)
        if bad:
            dataset_id = self._samples[0].dataset_id
            more = {"unreadable_count": DatasetRow.unreadable_count + bad, "updated_at": func.now()}
            session.execute(update(DatasetRow).where(DatasetRow.id == dataset_id).values(more))

    def _save_one(self, session: Session, facts: ImageFacts) -> int:
        return session.connection().execute(_UPDATE, self._values(facts)).rowcount

    def _values(self, facts: ImageFacts) -> dict[str, object]:
        is_readable = facts.code is None
        return {
            "own": self._samples[facts.number].id,
            "status": SampleStatus.READY if is_readable else SampleStatus.UNREADABLE,
            "problem": None if is_readable else {"code": facts.code, "detail": facts.detail},
            "width": facts.width,
            "height": facts.height,
            "content_sha256": self._digests.get(self._samples[facts.number].offset),
            "perceptual_hash": None if facts.perceptual_hash is None else bytes.fromhex(facts.perceptual_hash),
        }


_FOUND = ("status", "problem", "width", "height", "content_sha256", "perceptual_hash")
_UPDATE = (
    update(SampleRow)
    .where(SampleRow.id == bindparam("own"), SampleRow.status == SampleStatus.UNEXAMINED)
    .values({name: bindparam(name) for name in _FOUND})
    .execution_options(synchronize_session=False)
)
