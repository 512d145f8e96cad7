"""An upload's files taken in: from an archive, from tables or tars of images within it, or from a listing."""

from collections.abc import Callable, Iterator

from sqlalchemy.orm import Session

from app.db.tables import DatasetRow
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from app.imports.packing import OF_A_HUB
from app.sources.addresses import listed_dataset
from worker.archives.entry_names import from_here
from worker.archives.listing import is_table, judged_entries, list_entries, seekable
from worker.archives.skipping import ARCHIVE, reason_to_skip
from worker.intake.arrivals import Arrivals
from worker.intake.entries import insert_entries, link_entries
from worker.intake.listed_objects import Kind, kind_within, own_objects
from worker.intake.listings import listed_entries
from worker.intake.notes import DEAD_LINK, NOT_AN_IMAGE
from worker.intake.opening import found_within
from worker.intake.samples import delete_samples, find_named, stream_samples
from worker.intake.table_reading import Unfolded
from worker.intake.unfolding import table_of, unfold
from worker.intake.webdataset import JoinedTar, join
from worker.lifecycle.context import WorkerContext

OpenWithin = Callable[[WorkerContext, str, list[ArchiveEntry]], Unfolded | JoinedTar]


class Taker:
    """Of one data set; knows afterwards what was among its files."""

    def __init__(self, context: WorkerContext, session: Session, dataset: DatasetRow) -> None:
        self._context = context
        self._session = session
        self._dataset = dataset
        self.arrivals = Arrivals(context.settings.max_entries)
        self.within: Unfolded | JoinedTar | None = None
        """Tables or tars that the archive held in place of images."""
        self.is_listed = listed_dataset(dataset.stored_digest or "") is not None
        """Whether it stays where it is, and nobody looks at its images before an audit does."""
        self.assumed_encoding: str | None = None
        """Of names that do not say theirs."""
        self.made: set[str] = set()
        """Blobs that were made of what was uploaded: an archive inflated, tables unfolded."""

    def take(self) -> None:
        """Every file as a sample that is still to be looked at. Raises InputFailure."""
        dataset, context = self._dataset, self._context
        if self.is_listed:
            self.within = found_within(self._session, dataset.id)
            if self.within is not None:
                self._skip_beside(self.within.kind)
            entries = listed_entries(self._session, dataset.id, within=self.within is not None)
            self._insert(judged_entries(entries, context.settings))
            return
        stored = seekable(context.blobs, dataset.content_digest or "", context.settings)
        if stored != dataset.content_digest:
            self.made.add(stored)
        if is_table(context.blobs, stored):
            self._instead(unfold, stored, [table_of(context.blobs.size(stored))])
            return
        self._list(stored)
        if tables := self.arrivals.image_tables:
            self._instead(unfold, stored, tables)
        elif tars := self.arrivals.tars:
            self.arrivals.skipped.take_back(ARCHIVE, len(tars))
            self._instead(join, stored, tars)

    def _skip_beside(self, kind: Kind) -> None:
        """Objects of the listing that hold none of the images."""
        for batch in own_objects(self._context.engine, self._dataset.id):
            for name in (one.listed.key for one in batch):
                if kind_within(name) != kind and name not in OF_A_HUB:
                    self.arrivals.skipped.add(reason_to_skip(from_here(name)) or NOT_AN_IMAGE, name)

    def _instead(self, open_all: OpenWithin, stored: str, within: list[ArchiveEntry]) -> None:
        """Tables or tars of images in place of the archive that holds nothing else."""
        names = {entry.name for entry in within}
        skipped = self.arrivals.skipped
        for sample in stream_samples(self._session, self._dataset.id):
            if sample.name not in names:
                skipped.add(NOT_AN_IMAGE, sample.name)
        delete_samples(self._session, self._dataset.id)
        self.within = open_all(self._context, stored, within)
        self.made.add(self.within.digest)
        self.arrivals = Arrivals(self._context.settings.max_entries, skipped)
        self._list(self.within.digest)

    def _list(self, stored: str) -> None:
        dataset = self._dataset
        dataset.stored_digest = stored
        entries, names = list_entries(self._context.blobs, stored, self._context.settings, dataset.name_encoding)
        self._insert(entries)
        self.assumed_encoding = names.assumed

    def _insert(self, entries: Iterator[ArchiveEntry]) -> None:
        session, dataset_id = self._session, self._dataset.id
        insert_entries(session, dataset_id, self.arrivals.watch(entries), is_listed=self.is_listed)
        both = find_named(session, dataset_id, self.arrivals.folder_keys)
        if both is not None:
            raise InputFailure("archive-duplicate-entry", f"The name {both[:200]!a} is that of a file and of a folder.")
        for name in link_entries(session, dataset_id, self.arrivals.hard_links):
            self.arrivals.skipped.add(DEAD_LINK, name)
