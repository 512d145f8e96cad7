"""Looks through an uploaded archive: which samples it holds, whether each can be decoded."""

import hashlib
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.references import lock_digests, unused_digests
from app.db.session import transaction, write_for
from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus, SampleStatus
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry, read_entry
from worker.archives.layout import Layout
from worker.archives.listing import archive_entries, seekable
from worker.archives.manifest import read_manifest
from worker.context import WorkerContext
from worker.intake.image_examiner import ImageExaminer
from worker.intake.samples import (
    apply_manifest,
    delete_samples,
    distinct_values,
    find_named,
    in_batches,
    insert_entries,
    save_findings,
    stream_samples,
)
from worker.wire.replies import ImageFacts

logger = logging.getLogger(__name__)

DECODE_BATCH = 1024


def index_dataset(context: WorkerContext, dataset_id: UUID) -> None:
    """Turn a data set from ``validating`` to ``ready`` or ``rejected``, in one transaction.

    Running it twice, even at the same time, changes nothing.
    """
    with transaction(context.engine) as session:
        query = select(DatasetRow).where(DatasetRow.id == dataset_id, DatasetRow.status == ResourceStatus.VALIDATING)
        dataset = session.scalar(query.with_for_update(skip_locked=True))
        if dataset is None:
            return
        savepoint = session.begin_nested()
        indexer = _Indexer(context, session, dataset)
        try:
            indexer.run()
            context.keep_blob(session, dataset.stored_digest or "")
            dataset.status, dataset.problem = ResourceStatus.READY, None
        except InputFailure as failure:
            # Samples stay listed where they are the reason; an archive that is refused as a whole leaves none.
            if failure.code != "dataset-too-many-unreadable":
                savepoint.rollback()
            dataset.status, dataset.problem = ResourceStatus.REJECTED, failure.to_problem()
            logger.info("data set %s rejected: %s", dataset_id, failure.code)
    if indexer.inflated is not None:
        _delete_if_unused(context, indexer.inflated)


def _delete_if_unused(context: WorkerContext, digest: str) -> None:
    """Of an archive that was refused as a whole nothing stays but what was uploaded."""
    with transaction(context.engine) as session:
        lock_digests(session, {digest})
        if unused_digests(session, {digest}):
            context.blobs.delete(digest)


class _Indexer:
    def __init__(self, context: WorkerContext, session: Session, dataset: DatasetRow) -> None:
        self._context = context
        self._settings = context.settings
        self._session = session
        self._dataset = dataset
        self._layout = Layout(self._settings.max_entries)
        self._digest = hashlib.sha256()
        self._misnamed = 0
        self.inflated: str | None = None
        """The blob that was made of a compressed archive."""

    def run(self) -> None:
        """Raises InputFailure where the data set is to be rejected."""
        try:
            self._run()
        except FileNotFoundError as error:
            raise InputFailure("artifact-corrupted", "The stored content is gone; upload it again.") from error

    def _run(self) -> None:
        dataset, session = self._dataset, self._session
        delete_samples(session, dataset.id)
        write_for(session, dataset.tenant_id)
        stored = seekable(self._context.blobs, dataset.content_digest or "", self._settings)
        dataset.stored_digest = stored
        self.inflated = stored if stored != dataset.content_digest else None
        entries = archive_entries(self._context.blobs, stored, self._settings)
        insert_entries(session, dataset.id, self._layout.watch(entries))
        both = find_named(session, dataset.id, self._layout.folder_keys)
        if both is not None:
            raise InputFailure("archive-duplicate-entry", f"The name {both[:200]!a} is that of a file and of a folder.")
        by_manifest = self._apply_manifest()
        ready = unreadable = 0
        for findings in self._findings(by_manifest=by_manifest):
            save_findings(session, findings)
            good = sum(finding["status"] == SampleStatus.READY for finding in findings)
            ready, unreadable = ready + good, unreadable + len(findings) - good
        self._finish(ready, unreadable)

    def _apply_manifest(self) -> bool:
        manifests = self._layout.manifests
        if len(manifests) > 1:
            raise InputFailure("manifest-invalid", "The archive holds more than one manifest.")
        for entry in manifests:
            folder = entry.name.rpartition("/")[0]
            rows = read_manifest(entry.name, self._manifest_bytes(entry))
            apply_manifest(self._session, self._dataset.id, rows, f"{folder}/" if folder else "")
        return bool(manifests)

    def _manifest_bytes(self, entry: ArchiveEntry) -> bytes:
        """What is broken here is no sample, and costs the whole data set."""
        try:
            return read_entry(
                self._context.blobs, self._dataset.stored_digest or "", entry, self._settings.max_entry_bytes
            )
        except InputFailure as failure:
            raise InputFailure("manifest-invalid", f"The manifest is broken. {failure.detail}") from failure

    def _findings(self, *, by_manifest: bool) -> Iterator[list[dict[str, Any]]]:
        """What decoding every sample, in the order of the names, found."""
        position = 0
        examiner = ImageExaminer(self._context, self._dataset.stored_digest or "")
        for batch in in_batches(stream_samples(self._session, self._dataset.id), DECODE_BATCH):
            findings = []
            for sample, facts in zip(batch, examiner.examine(batch), strict=True):
                if not by_manifest:
                    sample.label, sample.source = self._layout.label_and_source(sample.name)
                finding = _finding(facts) | {"id": sample.id, "label": sample.label, "source": sample.source}
                self._misnamed += facts.misnamed
                if facts.sha256 is not None:
                    finding["position"] = position
                    position += 1
                    self._hash(sample, bytes.fromhex(facts.sha256))
                findings.append(finding)
            yield findings

    def _hash(self, sample: SampleRow, content: bytes) -> None:
        for part in (sample.name, sample.label or "", sample.source or ""):
            self._digest.update(part.encode() + b"\0")
        self._digest.update(content)

    def _finish(self, ready: int, unreadable: int) -> None:
        dataset, settings = self._dataset, self._settings
        dataset.sample_count, dataset.unreadable_count = ready, unreadable
        dataset.labels = distinct_values(self._session, dataset.id, SampleRow.label)
        dataset.sources = distinct_values(self._session, dataset.id, SampleRow.source)
        dataset.digest = f"sha256:{self._digest.hexdigest()}"
        dataset.notes = self._notes()
        if not ready:
            raise InputFailure("dataset-empty", "The archive holds no image that can be read.")
        allowed = max(settings.min_unreadable_allowance, settings.max_unreadable_share * (ready + unreadable))
        if unreadable > allowed:
            detail = f"{unreadable} of {ready + unreadable} samples cannot be read; see the data set's samples."
            raise InputFailure("dataset-too-many-unreadable", detail)

    def _notes(self) -> list[str]:
        """What was taken in another way than the archive looks."""
        top, junk, misnamed = self._layout.top_folder, self._layout.junk, self._misnamed
        notes = [f"The top folder {top!r} holds everything and is no label."] if top else []
        if junk == 1:
            notes.append("1 file of operating systems was skipped.")
        elif junk:
            notes.append(f"{junk} files of operating systems were skipped.")
        if misnamed == 1:
            notes.append("1 image is not of the kind that its name says.")
        elif misnamed:
            notes.append(f"{misnamed} images are not of the kinds that their names say.")
        return notes


def _finding(facts: ImageFacts) -> dict[str, Any]:
    problem = None if facts.code is None else {"code": facts.code, "detail": facts.detail}
    status = SampleStatus.READY if problem is None else SampleStatus.UNREADABLE
    size = {"width": facts.width, "height": facts.height}
    return {"position": None, "status": status, "problem": problem} | size
