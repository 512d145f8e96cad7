"""Labels from a table: which table of the archive it is, and which samples its paths mean."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.samples.table_columns import ALIASES, Columns
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry, Fault
from app.imaging.kinds import EXTENSIONS, promised_kind
from worker.archives.cells import invalid, label_of_columns, labels_of, text_of
from worker.archives.entry_names import from_here
from worker.archives.manifest import Record, read_table
from worker.intake.coco import coco_records
from worker.intake.entries import insert_told
from worker.intake.samples import folders_ending, is_there, label_sample

MANIFEST_NAMES = ("manifest.csv", "manifest.tsv", "manifest.jsonl", "manifest.json")
METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
"""Of Hugging Face's imagefolder: one in each folder, whose paths begin there."""
_DEEPEST = 3
_MOST_MISSING = 10_000
_MOST_TRIES = 100
"""Paths that are looked for everywhere, before those of the table count as missing."""


def manifests_among(tables: list[ArchiveEntry], columns: Columns | None) -> list[ArchiveEntry]:
    """The tables that say which files are samples: the one asked for, else those of a known name.

    Raises InputFailure ``manifest-invalid`` where it is not there, or where there are several.
    """
    if columns is not None and columns.file is not None:
        exact = [table for table in tables if table.name == columns.file]
        asked = exact or [table for table in tables if table.name.endswith(f"/{columns.file}")]
        if len(asked) != 1:
            raise InputFailure("manifest-invalid", f"The archive holds {len(asked)} files {columns.file[:200]!a}.")
        return asked
    shallow = [table for table in tables if table.name.count("/") < _DEEPEST]
    named = [table for table in shallow if table.name.rpartition("/")[2].casefold() in MANIFEST_NAMES]
    if len(named) > 1:
        raise InputFailure("manifest-invalid", "The archive holds more than one manifest: say which with columns.file.")
    if named:
        return named
    metadata = [table for table in shallow if table.name.rpartition("/")[2].casefold() in METADATA_NAMES]
    folders = [table.name.rpartition("/")[0] for table in metadata]
    if len(set(folders)) < len(folders):
        raise InputFailure("manifest-invalid", "A folder holds two tables of metadata: say which with columns.file.")
    return metadata


class TableReader:
    """Notes what a table says of samples."""

    def __init__(
        self, session: Session, dataset_id: UUID, columns: Columns | None, encoding: str | None = None
    ) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._asked = columns or Columns()
        self._encoding = encoding
        self.columns: Columns | None = None
        """What the table's columns were taken for."""
        self.notes: list[str] = []
        self.missing = 0
        """Files that it names and that are not there."""

    def apply(self, name: str, data: bytes) -> None:
        """Raises InputFailure ``manifest-invalid`` with the line."""
        records = records_of(name, data, self._encoding, self.notes)
        header = dict.fromkeys(field for record in records() for field in record.fields)
        if not header:
            next(iter(records()), None)
            return
        try:
            columns = self._asked.resolved(header)
        except ValueError as error:
            raise invalid(1, str(error)) from error
        if columns.path is None:
            known = ", ".join(ALIASES["path"][:4])
            detail = f"no column is named {known}, ...; say which has the paths with columns.path"
            raise invalid(1, f"{detail} (it has {', '.join(list(header)[:20])[:500]})")
        self.columns = columns
        paths = _Paths(self._session, self._dataset_id, name)
        for record in records():
            self._label(record, columns, paths)
        self.notes += paths.notes()

    def _label(self, record: Record, columns: Columns, paths: "_Paths") -> None:
        line, fields = record
        path = text_of(line, fields.get(columns.path or ""))
        if path is None:
            raise invalid(line, "path is missing")
        values: dict[str, Any] = {
            field: (labels_of if field == "label" else text_of)(line, fields.get(column)) if column else None
            for field in ("label", "source", "split", "cluster")
            for column in [getattr(columns, field)]
        }
        if columns.one_hot is not None:
            values["label"] = label_of_columns(line, fields, columns.one_hot)
        groups = {name: _group(line, fields.get(name)) for name in columns.groups or ()}
        values["groups"] = {name: value for name, value in groups.items() if value is not None}
        name = paths.find(path)
        if label_sample(self._session, self._dataset_id, name, values):
            return
        if is_there(self._session, self._dataset_id, name):
            raise invalid(line, f"it names {path[:200]!a}, which a line before it names too")
        self.missing += 1
        if self.missing > _MOST_MISSING:
            raise invalid(line, f"with it {self.missing} files are named that are not there, such as {path[:200]!a}")
        insert_told(self._session, self._dataset_id, _not_there(name), values)


def _not_there(name: str) -> ArchiveEntry:
    """A sample that cannot be read, for a file that only the table has."""
    return ArchiveEntry(name, 0, 0, 0, fault=Fault("sample-missing", "The manifest names it, and it is not there."))


def records_of(name: str, data: bytes, encoding: str | None, notes: list[str]) -> Callable[[], Iterator[Record]]:
    """A function that reads them from the beginning: the names of columns come first, then what is in them."""
    if name.casefold().endswith(".parquet"):
        detail = "A Parquet table is read where it holds the images themselves: save it as CSV beside them."
        raise InputFailure("manifest-invalid", detail)
    if name.casefold().endswith(".json"):
        found = coco_records(data, notes)
        return lambda: iter(found)
    return lambda: read_table(name, data, encoding)


def _group(line: int, value: object) -> str | None:
    """Lists and objects are nothing to group by."""
    return None if isinstance(value, list | dict) else text_of(line, value)


class _Paths:
    """Finds out by the first path that leads to a file how the table writes them; all are read alike."""

    def __init__(self, session: Session, dataset_id: UUID, table: str) -> None:
        self._session = session
        self._dataset_id = dataset_id
        self._folder = table.rpartition("/")[0] + "/" if "/" in table else ""
        self._rule: tuple[str, str, str] | None = None
        """What is dropped in front, what comes in its place, and what is added behind."""
        self._tries = 0

    def find(self, path: str) -> str:
        """The name of the entry that a path means; the path itself where none is there."""
        plain = unicodedata.normalize("NFC", from_here(path))
        if self._rule is None and self._tries < _MOST_TRIES:
            self._tries += 1
            self._rule = self._found_rule(plain)
        dropped, before, behind = self._rule or ("", self._folder, "")
        return before + plain.removeprefix(dropped) + behind if plain.startswith(dropped) else plain

    def notes(self) -> list[str]:
        """What was assumed."""
        dropped, before, behind = self._rule or ("", self._folder, "")
        notes = [f"Paths of the manifest begin with {dropped!a}, which was dropped."] if dropped else []
        if before != self._folder:
            notes.append(f"Paths of the manifest were looked for in {before or './'!a}.")
        return notes + ([f"Paths of the manifest lack {behind!a}, which was added."] if behind else [])

    def _found_rule(self, path: str) -> tuple[str, str, str] | None:
        for behind in ("", *_missing_extensions(path)):
            for dropped in _beginnings(path):
                rest = path.removeprefix(dropped) + behind
                for before in dict.fromkeys((self._folder, "")):
                    if is_there(self._session, self._dataset_id, before + rest):
                        return dropped, before, behind
            folders = folders_ending(self._session, self._dataset_id, path + behind)
            if len(folders) == 1:
                return "", folders[0], behind
        return None


def _beginnings(path: str) -> Iterable[str]:
    """Nothing, then one folder after the other."""
    yield ""
    place = path.find("/")
    while place >= 0:
        yield path[: place + 1]
        place = path.find("/", place + 1)


def _missing_extensions(path: str) -> list[str]:
    """Tables of competitions have ids in place of names."""
    return [] if promised_kind(path) is not None else [f".{extension}" for extension in EXTENSIONS]
