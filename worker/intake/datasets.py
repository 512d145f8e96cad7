"""Looks through an uploaded archive: which samples it holds, what their labels are, whether each can be decoded."""

import logging
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import transaction, write_for
from app.db.tables import DatasetImportRow, DatasetRow, SampleRow
from app.domain.samples.table_columns import Columns
from app.domain.vocabulary import ResourceStatus
from app.errors import InputFailure, TransientFailure
from app.imaging.entries import read_entry
from app.sources.contents import Contents
from app.sources.objects import drop_contents, forget_listing
from app.sources.patience import note_try
from app.uploads.content import delete_unused
from app.webhooks.events import dataset_looked_at
from app.webhooks.outbox import tell
from worker.intake.dataset_notes import DatasetNotes
from worker.intake.labels import Labels
from worker.intake.layout import Layout
from worker.intake.listings import TextsAndElsewhere
from worker.intake.near_duplicates import note_near_duplicates
from worker.intake.opening import open_listing
from worker.intake.samples import delete_samples
from worker.intake.settling import Settler
from worker.intake.sifting import Sifter
from worker.intake.taking import Taker
from worker.intake.tallies import distinct_values, folders_of_samples, problem_counts
from worker.lifecycle.context import WorkerContext

logger = logging.getLogger(__name__)

LISTS_SAMPLES = frozenset({"dataset-too-many-unreadable", "dataset-empty"})
"""Problems of which the samples are the reason."""


def index_dataset(context: WorkerContext, dataset_id: UUID) -> None:
    """Turn a data set from ``validating`` to ``ready`` or ``rejected``, in one transaction.

    Running it twice, even at the same time, changes nothing. Raises TransientFailure where it is to be run again.
    """
    try:
        if open_listing(context, dataset_id):
            _index(context, dataset_id)
    except InputFailure as failure:
        _reject(context, dataset_id, failure)
    except TransientFailure as failure:
        with transaction(context.engine) as session:
            imported = session.get(DatasetImportRow, dataset_id, with_for_update=True)
            final = None if imported is None else note_try(session, imported, dataset_id, failure, context.settings)
        if final is None:
            raise
        _reject(context, dataset_id, final)


def _reject(context: WorkerContext, dataset_id: UUID, failure: InputFailure) -> None:
    """A listing that could not be looked into."""
    with transaction(context.engine) as session:
        dataset = session.get(DatasetRow, dataset_id, with_for_update=True)
        if dataset is None or dataset.status != ResourceStatus.VALIDATING:
            return
        forget_listing(session, session.get_one(DatasetImportRow, dataset_id, with_for_update=True))
        dataset.status, dataset.problem = ResourceStatus.REJECTED, failure.to_problem()
        tell(session, dataset.tenant_id, dataset_looked_at(dataset))
    logger.info("data set %s rejected: %s", dataset_id, failure.code)


def _index(context: WorkerContext, dataset_id: UUID) -> None:
    with transaction(context.engine) as session:
        query = select(DatasetRow).where(DatasetRow.id == dataset_id, DatasetRow.status == ResourceStatus.VALIDATING)
        dataset = session.scalar(query.with_for_update(skip_locked=True))
        if dataset is None:
            return
        savepoint = session.begin_nested()
        indexer = _Indexer(context, session, dataset)
        try:
            indexer.run()
            if indexer.taker.is_listed:
                drop_contents(session, session.get_one(DatasetImportRow, dataset_id, with_for_update=True))
            else:
                context.keep_blob(session, dataset.stored_digest or "")
            dataset.status, dataset.problem = ResourceStatus.READY, None
        except InputFailure as failure:
            # Samples stay listed where they are the reason; an archive that is refused as a whole leaves none.
            if failure.code not in LISTS_SAMPLES:
                savepoint.rollback()
            dataset.status, dataset.problem = ResourceStatus.REJECTED, failure.to_problem()
            logger.info("data set %s rejected: %s", dataset_id, failure.code)
        tell(session, dataset.tenant_id, dataset_looked_at(dataset))
    if indexer.taker.made:
        # Of an archive that was refused as a whole nothing stays but what was uploaded; of others, nothing in between.
        delete_unused(context.engine, context.blobs, indexer.taker.made)


class _Indexer:
    """One way from files to a data set."""

    def __init__(self, context: WorkerContext, session: Session, dataset: DatasetRow) -> None:
        self._context = context
        self._session = session
        self._dataset = dataset
        self.taker = Taker(context, session, dataset)

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
        self.taker.take()
        labels = self._labels()
        sifter = Sifter(session, dataset, labels, self.taker.arrivals.skipped)
        if self.taker.is_listed:
            sifter.sift_names()
        else:
            sifter.examine(self._context)
        layout = Layout.of(folders_of_samples(session, dataset.id))
        settler = Settler(layout, labels, is_listed=self.taker.is_listed)
        settler.settle(session, dataset.id)
        dataset.near_duplicates = note_near_duplicates(session, dataset.id)
        self._tell(settler, labels)
        notes = DatasetNotes(session, dataset, self.taker, sifter, layout, labels)
        dataset.notes = list(notes.all())
        self._check_readable(settler, notes)

    def _labels(self) -> Labels:
        dataset, settings = self._dataset, self._context.settings
        asked = None if dataset.columns is None else Columns.model_validate(dataset.columns)
        if self.taker.within is not None:
            asked = self.taker.within.columns(asked)
        elsewhere = Contents(self._context.engine, self._context.blobs, settings)
        contents = TextsAndElsewhere(self._session, elsewhere) if self.taker.is_listed else elsewhere
        read = partial(read_entry, contents, dataset.stored_digest or "", max_bytes=settings.max_entry_bytes)
        labels = Labels(self._session, dataset, asked, read)
        labels.find(self.taker.arrivals.tables)
        return labels

    def _tell(self, settler: Settler, labels: Labels) -> None:
        dataset, session = self._dataset, self._session
        dataset.sample_count, dataset.unreadable_count = settler.ready, settler.unreadable
        dataset.labels = distinct_values(session, dataset.id, SampleRow.label)
        dataset.sources = distinct_values(session, dataset.id, SampleRow.source)
        dataset.splits = distinct_values(session, dataset.id, SampleRow.split)
        dataset.columns = None if labels.columns is None else labels.columns.model_dump(exclude_none=True)
        dataset.digest = settler.digest
        dataset.skipped = dict(self.taker.arrivals.skipped.counts)

    def _check_readable(self, settler: Settler, notes: DatasetNotes) -> None:
        settings, ready, unreadable = self._context.settings, settler.ready, settler.unreadable
        why = problem_counts(self._session, self._dataset.id)
        if not ready:
            raise InputFailure("dataset-empty", notes.why_empty(why))
        allowed = max(settings.min_unreadable_allowance, settings.max_unreadable_share * (ready + unreadable))
        if unreadable > allowed:
            detail = f"{unreadable} of {ready + unreadable} images cannot be read, see the data set's samples: {why}"
            limits = "MAX_UNREADABLE_SHARE and MIN_UNREADABLE_ALLOWANCE limit them."
            raise InputFailure("dataset-too-many-unreadable", f"{detail} {limits}")
