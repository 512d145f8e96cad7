"""Looks through an uploaded archive: which samples it holds, what their labels are, whether each can be decoded."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import transaction, write_for
from app.db.tables import DatasetRow, SampleRow
from app.domain.table_columns import Columns
from app.domain.vocabulary import TAKEN, ResourceStatus, SampleStatus
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry, read_entry
from app.imaging.kinds import promised_kind
from app.sources.addresses import LISTING, listed_dataset
from app.sources.reading import Contents
from app.uploads.content import delete_unused
from app.webhooks.events import dataset_looked_at
from app.webhooks.outbox import tell
from worker.archives.listing import is_table, judged_entries, list_entries, seekable
from worker.archives.skipping import ARCHIVE
from worker.context import WorkerContext
from worker.intake.arrivals import Arrivals
from worker.intake.image_examiner import ImageExaminer
from worker.intake.labels import Labels
from worker.intake.layout import Layout
from worker.intake.near_duplicates import note_near_duplicates
from worker.intake.notes import DEAD_LINK, NOT_AN_IMAGE, NOT_IN_MANIFEST, counted, listed, skipped_notes
from worker.intake.samples import (
    PENDING,
    Named,
    Settled,
    Told,
    delete_by_id,
    delete_samples,
    distinct_values,
    find_named,
    folders_of_samples,
    in_batches,
    insert_entries,
    link_entries,
    listed_entries,
    names_alike_but_for_case,
    pins_of,
    problem_counts,
    save_findings,
    save_places,
    stream_samples,
    stream_told,
    stream_unlisted,
    unreadable_labels,
)
from worker.intake.unfolding import Unfolded, table_of, unfold
from worker.intake.webdataset import JoinedTar, join
from worker.wire.replies import ImageFacts

logger = logging.getLogger(__name__)

DECODE_BATCH = 1024
OpenWithin = Callable[[WorkerContext, str, list[ArchiveEntry]], Unfolded | JoinedTar]
LISTS_SAMPLES = frozenset({"dataset-too-many-unreadable", "dataset-empty"})
"""Problems of which the samples are the reason."""


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
            if not indexer.is_listed:
                context.keep_blob(session, dataset.stored_digest or "")
            dataset.status, dataset.problem = ResourceStatus.READY, None
        except InputFailure as failure:
            # Samples stay listed where they are the reason; an archive that is refused as a whole leaves none.
            if failure.code not in LISTS_SAMPLES:
                savepoint.rollback()
            dataset.status, dataset.problem = ResourceStatus.REJECTED, failure.to_problem()
            logger.info("data set %s rejected: %s", dataset_id, failure.code)
        tell(session, dataset.tenant_id, dataset_looked_at(dataset))
    if indexer.made:
        # Of an archive that was refused as a whole nothing stays but what was uploaded; of others, nothing in between.
        delete_unused(context.engine, context.blobs, indexer.made)


class _Indexer:
    def __init__(self, context: WorkerContext, session: Session, dataset: DatasetRow) -> None:
        self._context = context
        self._settings = context.settings
        self._session = session
        self._dataset = dataset
        self._arrivals = Arrivals(self._settings.max_entries)
        self._digest = hashlib.sha256()
        self._facts: Counter[str] = Counter()
        self._sidecars: set[str] = set()
        self._within: Unfolded | JoinedTar | None = None
        """Tables or tars that the archive held in place of images."""
        self.is_listed = listed_dataset(dataset.stored_digest or "") is not None
        """Whether it stays where it is, and nobody looks at its images before an audit does."""
        self.made: set[str] = set()
        """Blobs that were made of what was uploaded: an archive inflated, tables unfolded."""

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
        names = self._take_entries()
        asked = None if dataset.columns is None else Columns.model_validate(dataset.columns)
        if self._within is not None:
            asked = self._within.columns(asked)
        contents = Contents(self._context.engine, self._context.blobs, self._settings)
        read = partial(read_entry, contents, dataset.stored_digest or "")
        labels = Labels(session, dataset, asked, lambda entry: read(entry, self._settings.max_entry_bytes))
        labels.find(self._arrivals.tables)
        if self.is_listed:
            self._sift(labels)
        else:
            self._examine(labels)
        layout = Layout.of(folders_of_samples(session, dataset.id))
        self._settle(layout, labels)
        dataset.near_duplicates = note_near_duplicates(session, dataset.id)
        self._finish(layout, labels, names)

    def _take_entries(self) -> str | None:
        """Every file as a sample that is still to be looked at; the encoding that was assumed of their names."""
        dataset, blobs = self._dataset, self._context.blobs
        if self.is_listed:
            self._insert(judged_entries(listed_entries(self._session, dataset.id), self._settings))
            return None
        stored = seekable(blobs, dataset.content_digest or "", self._settings)
        if stored != dataset.content_digest:
            self.made.add(stored)
        if is_table(blobs, stored):
            return self._instead(unfold, stored, [table_of(blobs.size(stored))])
        assumed = self._list(stored)
        if tables := self._arrivals.image_tables:
            return self._instead(unfold, stored, tables)
        if tars := self._arrivals.tars:
            self._arrivals.skipped.take_back(ARCHIVE, len(tars))
            return self._instead(join, stored, tars)
        return assumed

    def _instead(self, open_all: OpenWithin, stored: str, within: list[ArchiveEntry]) -> str | None:
        """Tables or tars of images in place of the archive that holds nothing else."""
        names = {entry.name for entry in within}
        skipped = self._arrivals.skipped
        for sample in stream_samples(self._session, self._dataset.id):
            if sample.name not in names:
                skipped.add(NOT_AN_IMAGE, sample.name)
        delete_samples(self._session, self._dataset.id)
        self._within = open_all(self._context, stored, within)
        self.made.add(self._within.digest)
        self._arrivals = Arrivals(self._settings.max_entries, skipped)
        return self._list(self._within.digest)

    def _list(self, stored: str) -> str | None:
        dataset = self._dataset
        dataset.stored_digest = stored
        entries, names = list_entries(self._context.blobs, stored, self._settings, dataset.name_encoding)
        self._insert(entries)
        return names.assumed

    def _insert(self, entries: Iterator[ArchiveEntry]) -> None:
        dataset, session = self._dataset, self._session
        insert_entries(session, dataset.id, self._arrivals.watch(entries), is_listed=self.is_listed)
        both = find_named(session, dataset.id, self._arrivals.folder_keys)
        if both is not None:
            raise InputFailure("archive-duplicate-entry", f"The name {both[:200]!a} is that of a file and of a folder.")
        for name in link_entries(session, dataset.id, self._arrivals.hard_links):
            self._arrivals.skipped.add(DEAD_LINK, name)

    def _sift(self, labels: Labels) -> None:
        """Of a listing names say alone what is an image."""
        every = labels.lists_samples
        for batch in in_batches(stream_unlisted(self._session, self._dataset.id, every=every), DECODE_BATCH):
            dropped = [
                self._left_out(sample, NOT_AN_IMAGE if promised_kind(sample.name) is None else NOT_IN_MANIFEST)
                for sample in batch
            ]
            delete_by_id(self._session, dropped)

    def _examine(self, labels: Labels) -> None:
        """Decode what nobody has looked at; what is no image, or not listed, is left out."""
        examiner = ImageExaminer(self._context, self._dataset.stored_digest or "")
        for batch in in_batches(stream_samples(self._session, self._dataset.id), DECODE_BATCH):
            wanted, dropped = self._sifted(batch, labels)
            pending = [sample for sample in wanted if sample.problem == PENDING]
            findings = []
            for sample, facts in zip(pending, examiner.examine(pending), strict=True):
                if facts.code == "sample-unsupported-type" and promised_kind(sample.name) is None:
                    dropped.append(self._left_out(sample, NOT_AN_IMAGE))
                else:
                    findings.append(self._finding(sample, facts))
            save_findings(self._session, findings)
            delete_by_id(self._session, dropped)

    def _sifted(self, batch: Sequence[SampleRow], labels: Labels) -> tuple[list[SampleRow], list[UUID]]:
        """Those to look at, and the ids of those to drop."""
        wanted, dropped = [], []
        for sample in batch:
            is_image = promised_kind(sample.name) is not None
            if labels.lists_samples and sample.groups is None:
                dropped.append(self._left_out(sample, NOT_IN_MANIFEST if is_image else NOT_AN_IMAGE))
            elif sample.problem != PENDING and not is_image and sample.groups is None:
                dropped.append(self._left_out(sample, NOT_AN_IMAGE))
            else:
                wanted.append(sample)
        return wanted, dropped

    def _left_out(self, sample: SampleRow | Named, reason: str) -> UUID:
        self._arrivals.skipped.add(reason, sample.name)
        _, dot, extension = sample.name.rpartition("/")[2].rpartition(".")
        if dot and len(self._sidecars) < 100:
            self._sidecars.add(extension.casefold())
        return sample.id

    def _finding(self, sample: SampleRow, facts: ImageFacts) -> dict[str, Any]:
        self._facts["misnamed"] += facts.misnamed
        self._facts["several"] += facts.first_of_several
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

    def _settle(self, layout: Layout, labels: Labels) -> None:
        """Splits, labels, sources and positions, in the order of the names, and the digest over them."""
        position = 0
        for batch in in_batches(stream_told(self._session, self._dataset.id), DECODE_BATCH):
            places: list[Settled] = []
            pins = pins_of(self._session, self._dataset.id, batch) if self.is_listed else {}
            for told in batch:
                place = layout.place(told.name)
                label, source = (place.label, place.source) if labels.from_folders else (told.label, told.source)
                is_taken = told.status in TAKEN
                settled = Settled(told.id, position if is_taken else None, told.split or place.split, label, source)
                places.append(settled)
                if is_taken:
                    self._hash(told, settled, pins.get(told.id) or told.content_sha256 or b"")
                    position += 1
            save_places(self._session, places)
            self._facts["unreadable"] += len(batch)
        self._facts["ready"], self._facts["unreadable"] = position, self._facts["unreadable"] - position

    def _hash(self, told: Told, settled: Settled, content: bytes) -> None:
        for part in (told.name, settled.label or "", settled.source or ""):
            self._digest.update(part.encode() + b"\0")
        for name, value in _further(told, settled):
            self._digest.update(f"{name}={value}".encode() + b"\0")
        self._digest.update(content)

    def _finish(self, layout: Layout, labels: Labels, assumed: str | None) -> None:
        dataset, session = self._dataset, self._session
        dataset.sample_count, dataset.unreadable_count = self._facts["ready"], self._facts["unreadable"]
        dataset.labels = distinct_values(session, dataset.id, SampleRow.label)
        dataset.sources = distinct_values(session, dataset.id, SampleRow.source)
        dataset.splits = distinct_values(session, dataset.id, SampleRow.split)
        dataset.columns = None if labels.columns is None else labels.columns.model_dump(exclude_none=True)
        dataset.digest = f"{LISTING if self.is_listed else ''}sha256:{self._digest.hexdigest()}"
        dataset.skipped = dict(self._arrivals.skipped.counts)
        dataset.notes = [*self._notes(layout, labels, assumed), *self._label_notes(layout, labels)]
        self._check_readable()

    def _check_readable(self) -> None:
        settings, (ready, unreadable) = self._settings, (self._facts["ready"], self._facts["unreadable"])
        why = problem_counts(self._session, self._dataset.id)
        if not ready:
            raise InputFailure("dataset-empty", self._why_empty(why))
        allowed = max(settings.min_unreadable_allowance, settings.max_unreadable_share * (ready + unreadable))
        if unreadable > allowed:
            detail = f"{unreadable} of {ready + unreadable} images cannot be read, see the data set's samples: {why}"
            limits = "MAX_UNREADABLE_SHARE and MIN_UNREADABLE_ALLOWANCE limit them."
            raise InputFailure("dataset-too-many-unreadable", f"{detail} {limits}")

    def _why_empty(self, why: str) -> str:
        empty = "The archive holds no image that can be read."
        inside = self._arrivals.skipped.examples("archive")
        if inside:
            return f"{empty} It holds archives ({inside}), which are not opened: pack the images themselves."
        if why:
            return f"{empty} See the data set's samples: {why}"
        left_out = skipped_notes(self._arrivals.skipped)
        return " ".join([empty, *left_out])

    def _notes(self, layout: Layout, labels: Labels, assumed: str | None) -> Iterator[str]:
        """What was taken in another way than the archive looks."""
        session, dataset = self._session, self._dataset
        yield from layout.notes() if labels.from_folders else ()
        yield from skipped_notes(self._arrivals.skipped)
        one, many = "image is not of the kind that its name says.", "images are not of the kinds that their names say."
        yield from counted(self._facts["misnamed"], one, many)
        one, many = "image has several frames: the first was taken.", "images have several frames: the first was taken."
        yield from counted(self._facts["several"], one, many)
        odd = self._arrivals.odd
        if odd.counts:
            names = f"{odd.examples('odd')} ({odd.counts['odd']} in all)"
            yield f"Windows could not store these names, which were taken as they are: {names}."
        if assumed is not None:
            yield f"The names do not say their encoding: {assumed} was assumed; name_encoding says otherwise."
        doubles = names_alike_but_for_case(session, dataset.id)
        yield from counted(
            doubles, "name differs from another in case alone.", "names differ from others in case alone."
        )
        yield from labels.notes
        yield from self._within.notes if self._within is not None else ()

    def _label_notes(self, layout: Layout, labels: Labels) -> Iterator[str]:
        dataset = self._dataset
        lost = unreadable_labels(self._session, dataset.id, dataset.labels)
        if lost:
            yield f"No image can be read of {len(lost)} labels: {listed(lost)}."
        if not dataset.labels and dataset.sample_count:
            where = "No label: the images lie in one folder, which is none."
            yield where if labels.from_folders and layout.top else "No label: nothing says one."
            yield from labels.suggestions(self._arrivals.tables, self._sidecars)
        alike = dataset.near_duplicates
        if alike is not None:
            over = f"{alike['across_labels']} over several labels, {alike['across_splits']} over several splits"
            found = f"{alike['images']} images look like another one, in {alike['groups']} groups: {over}"
            yield f"{found} (GET .../samples?near_duplicates=true lists them)."


def _further(told: Told, settled: Settled) -> Iterator[tuple[str, str]]:
    """What a sample may have beside label and source; nothing, as long as data sets had no more."""
    yield from ((name, value) for name, value in (("split", settled.split), ("cluster", told.cluster)) if value)
    yield from sorted((told.groups or {}).items())
