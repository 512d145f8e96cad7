"""Makes a tar of Parquet tables of images, so that every image lies somewhere, with what the rows say beside it.

Each table becomes a folder of images and a ``metadata.jsonl`` (Hugging Face's imagefolder); a child reads the table.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.splits import is_split_name
from app.domain.table_columns import Columns
from app.domain.vocabulary import DeviceClass
from app.errors import InputFailure
from app.imaging.containers import BLOCK
from app.imaging.entries import ArchiveEntry
from app.settings import MEBIBYTE
from app.storage.writing import BlobWriter
from worker.archives.tar_writer import add_file
from worker.context import WorkerContext
from worker.supervision.endings import ChildDied
from worker.supervision.events import Answer
from worker.wire.facts import TableFacts, TableRow
from worker.wire.job_parts import JobSample
from worker.wire.jobs import TableJob

_MOST_TEXT = 16 * MEBIBYTE
"""Of what the rows of one folder say; then another folder begins."""


@dataclass
class Unfolded:
    """``digest`` is that of the tar; the columns, which are the same in every table, and notes about them."""

    digest: str = ""
    image: str = ""
    label: str | None = None
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def columns(self, asked: Columns | None) -> Columns:
        """What the owner asked for, with the column of the images' names; a ClassLabel is the label unless told."""
        wanted = asked or Columns()
        if wanted.names is not None or wanted.beside is not None or wanted.file is not None:
            raise InputFailure("columns-invalid", "Of Parquet tables columns are named: path, label, source, ...")
        return wanted.model_copy(update={"path": self.image, "label": wanted.label or self.label})


def table_of(size: int) -> ArchiveEntry:
    """An upload that is a table itself."""
    return ArchiveEntry("table.parquet", 0, size, size)


def unfold(context: WorkerContext, digest: str, tables: Sequence[ArchiveEntry]) -> Unfolded:
    """Raises InputFailure: what the child finds, ``archive-expansion-limit`` or ``archive-too-many-entries``."""
    settings = context.settings
    splits = [_split(table.name) for table in tables]
    with context.blobs.writer(settings.max_inflated_bytes + 1) as writer:
        tar = _Tar(context, writer, context.blobs.size(digest))
        for table, split in zip(tables, splits, strict=True):
            tar.add_table(digest, table, split if all(splits) else None)
        writer.write(bytes(2 * BLOCK))
        tar.found.digest = writer.commit().digest
    found = tar.found
    many = f"{len(tables)} Parquet tables hold" if len(tables) > 1 else "A Parquet table holds"
    label = f"; the labels are its ClassLabel {found.label!r}, unless columns say otherwise" if found.label else ""
    found.notes.insert(0, f"{many} {found.rows} images in the column {found.image!r}{label}.")
    return found


class _Tar:
    """A tar in the making."""

    def __init__(self, context: WorkerContext, writer: BlobWriter, packed: int) -> None:
        self._context = context
        self._writer = writer
        self._most = context.settings.max_ratio * packed + context.settings.max_entry_bytes
        self.found = Unfolded()

    def add_table(self, digest: str, table: ArchiveEntry, split: str | None) -> None:
        stem = table.name[: -len(".parquet")].replace("/", "-")
        folder, lines, part = stem, bytearray(), 0
        for number, reply, content in self._rows(digest, table):
            name = f"{number:06}.{reply.extension}"
            self._add(f"{folder}/{name}", content)
            told = {"split": split} if split is not None else {}
            lines += json.dumps(told | reply.fields | {self.found.image: name}, ensure_ascii=False).encode() + b"\n"
            if len(lines) > _MOST_TEXT:
                self._add(f"{folder}/metadata.jsonl", bytes(lines))
                part, lines = part + 1, bytearray()
                folder = f"{stem}-part-{part}"
        if lines:
            self._add(f"{folder}/metadata.jsonl", bytes(lines))

    def _rows(self, digest: str, table: ArchiveEntry) -> Iterator[tuple[int, TableRow, bytes]]:
        """Raises InputFailure where the process that reads the table is lost."""
        job, number = TableJob(archive_digest=digest, table=JobSample.of_entry(table)), 0
        try:
            with self._context.children.fresh(DeviceClass.CPU) as child:
                for event in child.converse(job, self._context.blobs):
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
        if found.image and (found.image, found.label) != (facts.image, facts.label):
            raise InputFailure("manifest-invalid", f"The table {name[-200:]!a} has other columns than those before it.")
        if facts.left_out and not found.image:
            names = ", ".join(repr(column[:100]) for column in facts.left_out[:5])
            found.notes.append(f"Columns that are nothing to group by were left out: {names}.")
        found.image, found.label = facts.image, facts.label

    def _count_row(self) -> None:
        self.found.rows += 1
        most = self._context.settings.max_entries
        if self.found.rows > most:
            detail = f"More than {most} rows (MAX_ENTRIES): send it as several data sets."
            raise InputFailure("archive-too-many-entries", detail)

    def _add(self, name: str, content: bytes) -> None:
        add_file(self._writer, name, len(content), [content])
        if self._writer.size > self._most:
            most = self._context.settings.max_ratio
            detail = f"Its tables hold more than {most} times their size (MAX_RATIO): send the images in a tar file."
            raise InputFailure("archive-expansion-limit", detail)


def _split(name: str) -> str | None:
    """``data/train-00000-of-00002.parquet``, ``default/train/0000.parquet``; in lower case, None where it says none."""
    *folders, file = name.casefold().split("/")
    words = [re.split(r"[-_.]", file)[0], *folders]
    return next((word for word in words if is_split_name(word)), None)
