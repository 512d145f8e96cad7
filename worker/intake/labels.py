"""Where a data set's labels come from: its manifest, a file beside each image, their names, or its folders."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, SampleRow
from app.domain.samples.table_columns import Columns
from app.domain.vocabulary import TAKEN
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.intake.coco_layout import CocoLayout, is_coco_name
from worker.intake.label_suggestions import name_pattern, suggest, table_suggestions
from worker.intake.samples import delete_named
from worker.intake.sidecar_labels import label_beside, label_by_names
from worker.intake.tables import TableReader, manifests_among, records_of

ReadEntry = Callable[[ArchiveEntry], bytes]
_OFFERED_TABLES, _OFFER_BYTES = 8, 1024**2
_OFFERED = (".csv", ".tsv", ".jsonl", ".json")


class Labels:
    """Of one data set; knows afterwards what was taken for what."""

    def __init__(self, session: Session, dataset: DatasetRow, asked: Columns | None, read: ReadEntry) -> None:
        self._session = session
        self._dataset = dataset
        self._dataset_id = dataset.id
        self._encoding = dataset.name_encoding
        self._asked = asked
        self._read = read
        self.columns = asked
        self.notes: list[str] = []
        self.lists_samples = False
        """Whether a table says which files are samples."""
        self.from_folders = True

    def find(self, tables: list[ArchiveEntry]) -> None:
        """Before the images are looked at. Raises InputFailure ``manifest-invalid``."""
        asked = self._asked
        if asked is not None and asked.names is not None:
            labelled = label_by_names(self._session, self._dataset_id, asked.names)
            self._told(labelled, "files have names of the form that columns.names says")
        elif asked is not None and asked.beside is not None:
            labelled = label_beside(self._session, self._dataset_id, asked, self._read)
            self._told(labelled, f"images have a file of {asked.beside} beside them")
        elif manifests := manifests_among(tables, asked):
            self._from_tables(manifests)
        else:
            self._from_coco(tables)

    def _told(self, labelled: int, what: str) -> None:
        if not labelled:
            raise InputFailure("manifest-invalid", f"No {what}.")
        self.from_folders = False
        self.notes.append(f"Labels: {labelled} {what}.")

    def _from_coco(self, tables: list[ArchiveEntry]) -> None:
        layout = CocoLayout(self._session, self._dataset, self._read)
        columns = layout.take(tables, self._asked)
        self.notes += layout.notes
        self.lists_samples = columns is not None
        self.from_folders = columns is None
        self.columns = columns or self._asked

    def _from_tables(self, manifests: list[ArchiveEntry]) -> None:
        for table in manifests:
            reader = TableReader(self._session, self._dataset_id, self._asked, self._encoding)
            delete_named(self._session, self._dataset_id, [table.name])
            reader.apply(table.name, self._bytes(table))
            self.columns = reader.columns or self.columns
            self.notes += reader.notes
        self.lists_samples, self.from_folders = True, False

    def _bytes(self, table: ArchiveEntry) -> bytes:
        """What is broken here is no sample, and costs the whole data set."""
        try:
            return self._read(table)
        except InputFailure as failure:
            raise InputFailure("manifest-invalid", f"The manifest is broken. {failure.detail}") from failure

    def suggestions(self, tables: Sequence[ArchiveEntry], sidecars: set[str]) -> list[str]:
        """For a data set without labels: where some seem to be. ``sidecars`` are the extensions of files that are no
        images."""
        found = table_suggestions(self._first_records(tables))
        pattern = name_pattern(self._names())
        if pattern is not None:
            found.append(suggest(Columns(names=pattern), "The files' names seem to begin with labels; none was used."))
        if "cls" in sidecars:
            found.append(suggest(Columns(beside="webdataset"), "Files .cls lie beside the images, as in WebDataset."))
        elif "txt" in sidecars:
            found.append(suggest(Columns(beside="yolo"), "Files .txt lie beside the images, as in YOLO's data sets."))
        if sidecars & {"xlsx", "xls", "ods"}:
            found.append(
                "A spreadsheet lies beside the images: pack it as CSV (manifest.csv) for its labels to be read."
            )
        return found

    def _first_records(self, tables: Sequence[ArchiveEntry]) -> list[tuple[ArchiveEntry, dict[str, Any]]]:
        found = []
        small = [table for table in tables if table.size <= _OFFER_BYTES and not is_coco_name(table.name)]
        # JSON last, of which there may be a file beside each image.
        likely = [table for end in _OFFERED for table in small if table.name.casefold().endswith(end)]
        for table in likely[:_OFFERED_TABLES]:
            try:
                record = next(iter(records_of(table.name, self._read(table), self._encoding, [])()), None)
            except InputFailure:
                continue
            found.append((table, {} if record is None else record.fields))
        return found

    def _names(self) -> list[str]:
        query = select(SampleRow.name).where(SampleRow.dataset_id == self._dataset_id, SampleRow.status.in_(TAKEN))
        return list(self._session.scalars(query.limit(10_000)))
