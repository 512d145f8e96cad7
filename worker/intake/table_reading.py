"""Parquet tables read by children: each becomes images, and texts of what its rows say."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Self

from app.domain.samples.table_columns import Columns
from app.domain.vocabulary import DeviceClass
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from app.settings import MEBIBYTE
from worker.intake.listed_objects import CopyInstead, Kind
from worker.lifecycle.context import WorkerContext
from worker.supervision.endings import ChildDied
from worker.supervision.events import Answer
from worker.supervision.inputs import Store
from worker.wire.facts import TableFacts, TableRow
from worker.wire.job_parts import JobSample
from worker.wire.jobs import TableJob

_MOST_TEXT = 16 * MEBIBYTE
"""Of what the rows of one folder say; then another folder begins."""


@dataclass
class Unfolded:
    """``digest`` is that of the tar, of one that is made; the columns, which are the same in every table."""

    kind: ClassVar[Kind] = "tables"
    digest: str = ""
    tables: int = 0
    rows: int = 0
    image: str = ""
    label: str | None = None
    left_out: list[str] = field(default_factory=list)
    """Columns of the first table that are nothing to group by."""

    def columns(self, asked: Columns | None) -> Columns:
        """What the owner asked for, with the column of the images' names; a ClassLabel is the label unless told."""
        wanted = asked or Columns()
        if wanted.names is not None or wanted.beside is not None or wanted.file is not None:
            raise InputFailure("columns-invalid", "Of Parquet tables columns are named: path, label, source, ...")
        return wanted.model_copy(update={"path": self.image, "label": wanted.label or self.label})

    def note(self) -> dict[str, Any]:
        """To be stored."""
        return {name: getattr(self, name) for name in ("tables", "rows", "image", "label", "left_out")}

    @classmethod
    def noted(cls, note: Mapping[str, Any]) -> Self:
        """As it was stored; of nothing yet."""
        return cls(**note)

    @property
    def notes(self) -> list[str]:
        many = f"{self.tables} Parquet tables hold" if self.tables > 1 else "A Parquet table holds"
        label = f"; the labels are its ClassLabel {self.label!r}, unless columns say otherwise" if self.label else ""
        found = [f"{many} {self.rows} images in the column {self.image!r}{label}."]
        if self.left_out:
            names = ", ".join(repr(column[:100]) for column in self.left_out[:5])
            found.append(f"Columns that are nothing to group by were left out: {names}.")
        return found


class TableFile(NamedTuple):
    """A file that a table becomes: an image, which is one of its rows, or a text of what some of them say."""

    name: str
    content: bytes
    row: int | None


@dataclass(frozen=True)
class TableReading:
    """Reads tables by children; notes in ``found`` what they are of."""

    context: WorkerContext
    store: Store
    digest: str
    found: Unfolded
    keep: Callable[[], None] = lambda: None
    """Called again and again meanwhile."""
    most_group_bytes: int | None = None
    """Of a row group; None: of any size."""

    def files(self, table: ArchiveEntry, split: str | None) -> Iterator[TableFile]:
        """A folder of images and ``metadata.jsonl``, or several. Raises InputFailure and TransientFailure."""
        stem = table.name[: -len(".parquet")].replace("/", "-")
        folder, lines, part = stem, bytearray(), 0
        for number, reply, content in self._rows(table):
            name = f"{number:06}.{reply.extension}"
            yield TableFile(f"{folder}/{name}", content, number)
            told = {"split": split} if split is not None else {}
            lines += json.dumps(told | reply.fields | {self.found.image: name}, ensure_ascii=False).encode() + b"\n"
            if len(lines) > _MOST_TEXT:
                yield TableFile(f"{folder}/metadata.jsonl", bytes(lines), None)
                part, lines = part + 1, bytearray()
                folder = f"{stem}-part-{part}"
        if lines:
            yield TableFile(f"{folder}/metadata.jsonl", bytes(lines), None)

    def _rows(self, table: ArchiveEntry) -> Iterator[tuple[int, TableRow, bytes]]:
        """Raises InputFailure where the process that reads the table is lost."""
        job, number = TableJob(archive_digest=self.digest, table=JobSample.of_entry(table)), 0
        try:
            with self.context.children.fresh(DeviceClass.CPU) as child:
                for event in child.converse(job, self.store):
                    self.keep()
                    if isinstance(event, Answer) and isinstance(event.reply, TableFacts):
                        self._note(table.name, event.reply)
                    elif isinstance(event, Answer) and isinstance(event.reply, TableRow):
                        self._count_row()
                        yield number, event.reply, event.blob
                        number += 1
        except InputFailure as failure:
            raise InputFailure(failure.code, f"{table.name[-200:]!a}: {failure.detail}") from failure
        except ChildDied as death:
            detail = f"The process that read the table {table.name[-200:]!a} was lost. {death.detail}"
            raise InputFailure("archive-malformed", f"{detail} Write it with smaller row groups and pages.") from death

    def _note(self, name: str, facts: TableFacts) -> None:
        found = self.found
        if self.most_group_bytes is not None and facts.group_bytes > self.most_group_bytes:
            # Whoever wants a row reads as much of its group as lies before it.
            what = f"the table {name[-200:]!a} has row groups of up to {facts.group_bytes} bytes"
            raise CopyInstead(f"{what}, and may have {self.most_group_bytes}: write smaller row groups")
        if found.image and (found.image, found.label) != (facts.image, facts.label):
            raise InputFailure("manifest-invalid", f"The table {name[-200:]!a} has other columns than those before it.")
        if not found.image:
            found.left_out = list(facts.left_out)
        found.image, found.label = facts.image, facts.label

    def _count_row(self) -> None:
        self.found.rows += 1
        most = self.context.settings.max_entries
        if self.found.rows > most:
            detail = f"More than {most} rows (MAX_ENTRIES): send it as several data sets."
            raise InputFailure("archive-too-many-entries", detail)
