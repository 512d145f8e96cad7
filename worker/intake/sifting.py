"""Samples are looked at; what is no image, or not listed, is left out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import SampleStatus
from app.imaging.kinds import promised_kind
from worker.intake.arrivals import Skipped
from worker.intake.entries import PENDING
from worker.intake.image_examiner import ImageExaminer
from worker.intake.labels import Labels
from worker.intake.listings import Unlisted, stream_unlisted
from worker.intake.notes import NOT_AN_IMAGE, NOT_IN_MANIFEST
from worker.intake.samples import delete_by_id, in_batches, save_findings, stream_samples
from worker.lifecycle.context import WorkerContext
from worker.wire.facts import ImageFacts

DECODE_BATCH = 1024


class Sifter:
    """Of one data set; counts what its images are, and notes in ``skipped`` what it leaves out."""

    def __init__(self, session: Session, dataset: DatasetRow, labels: Labels, skipped: Skipped) -> None:
        self._session = session
        self._dataset = dataset
        self._labels = labels
        self._skipped = skipped
        self.misnamed = 0
        self.several = 0
        """Images of several frames."""
        self.sidecars: set[str] = set()
        """Extensions of files that were left out."""

    def sift_names(self) -> None:
        """Of a listing names say alone what is an image."""
        every = self._labels.lists_samples
        for batch in in_batches(stream_unlisted(self._session, self._dataset.id, every=every), DECODE_BATCH):
            dropped = [
                self._left_out(sample, NOT_AN_IMAGE if promised_kind(sample.name) is None else NOT_IN_MANIFEST)
                for sample in batch
            ]
            delete_by_id(self._session, dropped)

    def examine(self, context: WorkerContext) -> None:
        """Decode what nobody has looked at."""
        examiner = ImageExaminer(context, self._dataset.stored_digest or "")
        for batch in in_batches(stream_samples(self._session, self._dataset.id), DECODE_BATCH):
            wanted, dropped = self._sifted(batch)
            pending = [sample for sample in wanted if sample.problem == PENDING]
            findings = []
            for sample, facts in zip(pending, examiner.examine(pending), strict=True):
                if facts.code == "sample-unsupported-type" and promised_kind(sample.name) is None:
                    dropped.append(self._left_out(sample, NOT_AN_IMAGE))
                else:
                    findings.append(self._finding(sample, facts))
            save_findings(self._session, findings)
            delete_by_id(self._session, dropped)

    def _sifted(self, batch: Sequence[SampleRow]) -> tuple[list[SampleRow], list[UUID]]:
        """Those to look at, and the ids of those to drop."""
        wanted, dropped = [], []
        for sample in batch:
            is_image = promised_kind(sample.name) is not None
            if self._labels.lists_samples and sample.groups is None:
                dropped.append(self._left_out(sample, NOT_IN_MANIFEST if is_image else NOT_AN_IMAGE))
            elif sample.problem != PENDING and not is_image and sample.groups is None:
                dropped.append(self._left_out(sample, NOT_AN_IMAGE))
            else:
                wanted.append(sample)
        return wanted, dropped

    def _left_out(self, sample: SampleRow | Unlisted, reason: str) -> UUID:
        self._skipped.add(reason, sample.name)
        _, dot, extension = sample.name.rpartition("/")[2].rpartition(".")
        if dot and len(self.sidecars) < 100:
            self.sidecars.add(extension.casefold())
        return sample.id

    def _finding(self, sample: SampleRow, facts: ImageFacts) -> dict[str, Any]:
        self.misnamed += facts.misnamed
        self.several += facts.first_of_several
        problem = None if facts.code is None else {"code": facts.code, "detail": facts.detail}
        return {
            "id": sample.id,
            "status": SampleStatus.READY if problem is None else SampleStatus.UNREADABLE,
            "problem": problem,
            "width": facts.width,
            "height": facts.height,
            "content_sha256": None if facts.sha256 is None else bytes.fromhex(facts.sha256),
            "perceptual_hash": None if facts.perceptual_hash is None else bytes.fromhex(facts.perceptual_hash),
        }
