"""COCO's own layout: images, and beside them ``annotations/instances_*.json`` (COCO, CVAT) or
``_annotations.coco.json`` (Roboflow). Taken where nothing has to be guessed; else notes say which ``columns`` would.
"""

import re
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import DatasetRow
from app.domain.samples.table_columns import Columns
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.intake.coco import MOST_BYTES, CocoCounts, coco_counts
from worker.intake.label_suggestions import suggest
from worker.intake.layout import Layout
from worker.intake.notes import listed
from worker.intake.samples import delete_named
from worker.intake.tables import TableReader
from worker.intake.tallies import folders_of_images, untold_images

COCO_NAMES = r"(instances_[^/]*|[^/]*\.coco)\.json"
_NAMED = re.compile(COCO_NAMES, re.IGNORECASE)
MOST_TABLES = 20
"""Of splits: each is read as a whole."""
MOST_OFFERED = 3


def is_coco_name(name: str) -> bool:
    """Of a file that those who export COCO's annotations call so."""
    return _NAMED.fullmatch(name.rpartition("/")[2]) is not None


class CocoLayout:
    """Of one data set without a manifest; ``notes`` say what was assumed, or why it was not taken."""

    def __init__(self, session: Session, dataset: DatasetRow, read: Callable[[ArchiveEntry], bytes]) -> None:
        self._session = session
        self._dataset_id: UUID = dataset.id
        self._read = read
        self.notes: list[str] = []

    def take(self, tables: list[ArchiveEntry], asked: Columns | None) -> Columns | None:
        """What the columns were taken for; None where the labels are not taken from there."""
        every = sorted((table for table in tables if is_coco_name(table.name)), key=lambda table: table.name)
        named = every[:MOST_TABLES]
        found = {table.name: counts for table in named if (counts := self._counts(table)) is not None}
        taken = [table for table in named if table.name in found]
        if not taken:
            return None
        columns = self._applied(taken) if (why := self._why_not(found, asked)) is None else why
        if isinstance(columns, str):
            self._offer(list(found), columns)
            return None
        assumed = "every image shows objects of one category, which is its label"
        self.notes.append(f"Labels are from COCO's annotations {listed(list(found))}: {assumed}.")
        return columns

    def _counts(self, table: ArchiveEntry) -> CocoCounts | None:
        if table.size > MOST_BYTES:
            large = f"COCO's annotations {table.name!a} were not used, since they have more than {MOST_BYTES} bytes."
            self.notes.append(f"{large} For labels write a manifest.csv with the columns path and label.")
            return None
        try:
            return coco_counts(self._read(table))
        except InputFailure:
            return None

    def _why_not(self, found: dict[str, CocoCounts], asked: Columns | None) -> str | None:
        if asked is not None:
            return "the data set's columns name another place"
        if Layout.of(folders_of_images(self._session, self._dataset_id)).has_labels:
            return "the folders have names as labels have"
        count, several, empty = map(sum, zip(*found.values(), strict=True))
        if several or empty:
            shown = f"{several} of {count} images show objects of several categories, and {empty} of none"
            return f"{shown}: those would have no label"
        return None

    def _applied(self, tables: list[ArchiveEntry]) -> Columns | str:
        """The columns; or why it was not taken, and then nothing of it stays."""
        savepoint = self._session.begin_nested()
        file = tables[0].name if len(tables) == 1 else None
        readers = [TableReader(self._session, self._dataset_id, Columns(file=file)) for _ in tables]
        try:
            for reader, table in zip(readers, tables, strict=True):
                reader.apply(table.name, self._read(table))
            why = self._incomplete(sum(reader.missing for reader in readers))
        except InputFailure as failure:
            why = f"they cannot be followed ({failure.detail.rstrip('.')})"
        if why is not None:
            savepoint.rollback()
            return why
        delete_named(self._session, self._dataset_id, [table.name for table in tables])
        savepoint.commit()
        self.notes += dict.fromkeys(note for reader in readers for note in reader.notes)
        return readers[0].columns or Columns(file=file)

    def _incomplete(self, missing: int) -> str | None:
        untold = untold_images(self._session, self._dataset_id)
        if not missing and not untold:
            return None
        return f"{missing} of their images are not there, and {untold} images are not among theirs"

    def _offer(self, names: list[str], why: str) -> None:
        for name in names[:MOST_OFFERED]:
            self.notes.append(suggest(Columns(file=name), f"COCO's annotations {name!a} were not used, since {why}."))
        if len(names) > 1:
            one = f"The data set has {len(names)} files of COCO's annotations, and columns names one"
            self.notes.append(f"{one}: the images of the others are then left out, unless a manifest.csv lists all.")
