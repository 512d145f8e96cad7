"""Parquet tables of images: each becomes a folder of images and a ``metadata.jsonl`` with what its rows say (as Hugging
Face's imagefolder has it), read by a child. Of an archive's tables that is a tar, so that every image lies somewhere;
the images of tables that lie elsewhere stay there.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from app.domain.samples.splits import is_split_name
from app.errors import InputFailure
from app.imaging.containers import BLOCK
from app.imaging.entries import ArchiveEntry
from app.settings import Settings
from app.sources.addresses import ROWS, start_of
from app.sources.objects import NewObject
from worker.archives.entry_names import checked_name, from_here
from worker.archives.tar_writer import add_file
from worker.intake.listed_objects import Numbered
from worker.intake.table_reading import TableReading, Unfolded
from worker.lifecycle.context import WorkerContext


def table_of(size: int) -> ArchiveEntry:
    """An upload that is a table itself."""
    return ArchiveEntry("table.parquet", 0, size, size)


def unfold(context: WorkerContext, digest: str, tables: Sequence[ArchiveEntry]) -> Unfolded:
    """Raises InputFailure: what the child finds, ``archive-expansion-limit`` or ``archive-too-many-entries``."""
    split_of = splits_of(table.name for table in tables)
    found = Unfolded(tables=len(tables))
    reader = TableReading(context, context.blobs, digest, found)
    most = context.settings.max_ratio * context.blobs.size(digest) + context.settings.max_entry_bytes
    with context.blobs.writer(context.settings.max_inflated_bytes + 1) as writer:
        for table in tables:
            for file in reader.files(table, split_of(table.name)):
                add_file(writer, file.name, len(file.content), [file.content])
                if writer.size > most:
                    raise _expanded(context.settings)
        writer.write(bytes(2 * BLOCK))
        found.digest = writer.commit().digest
    return found


def splits_of(names: Iterable[str]) -> Callable[[str], str | None]:
    """The split that a table's name says, where every one says one."""
    return _split if all(map(_split, names)) else lambda _: None


def table_objects(reading: "TableReading", table: Numbered, split: str | None) -> Iterator[NewObject]:
    """The files of a table that lies elsewhere: images by their rows there, each read over once; texts are kept.

    Raises CopyInstead; InputFailure and TransientFailure as `unfold`.
    """
    size, settings, total = table.listed.size, reading.context.settings, 0
    for file in reading.files(ArchiveEntry(from_here(table.listed.key), start_of(table.number), size, size), split):
        name, length = checked_name(file.name), len(file.content)
        total += length
        if total > settings.max_ratio * size + settings.max_entry_bytes:
            raise _expanded(settings)
        if file.row is None:
            yield NewObject(name, length, container=table.number, begin=0, content=file.content)
        else:
            crc32 = zlib.crc32(file.content)
            yield NewObject(name, length, container=table.number, begin=ROWS + file.row, crc32=crc32)


def _expanded(settings: Settings) -> InputFailure:
    detail = (
        f"Its tables hold more than {settings.max_ratio} times their size (MAX_RATIO): send the images in a tar file."
    )
    return InputFailure("archive-expansion-limit", detail)


def _split(name: str) -> str | None:
    """``data/train-00000-of-00002.parquet``, ``default/train/0000.parquet``; in lower case, None where it says none."""
    *folders, file = name.casefold().split("/")
    words = [re.split(r"[-_.]", file)[0], *folders]
    return next((word for word in words if is_split_name(word)), None)
