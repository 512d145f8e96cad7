"""Makes one tar of WebDataset's: its shards are tars of images with their labels beside them (``1.jpg``, ``1.cls``)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.splits import is_split_name
from app.domain.table_columns import Columns
from app.errors import InputFailure
from app.imaging.containers import BLOCK
from app.imaging.entries import ArchiveEntry
from app.settings import MEBIBYTE
from app.storage.blobs import BlobStore
from app.storage.writing import BlobWriter
from worker.archives.entry_names import from_here
from worker.archives.range_reader import RangeReader
from worker.archives.tar_index import tar_entries, tar_names
from worker.archives.tar_writer import add_file
from worker.context import WorkerContext
from worker.intake.sidecar_labels import label_in_json

_MOST_JSON = 64 * 1024


@dataclass
class JoinedTar:
    """``digest`` is that of the one tar; which files beside the images say labels, and a note."""

    digest: str = ""
    files: int = 0
    has_labels: bool = False
    notes: list[str] = field(default_factory=list)

    def columns(self, asked: Columns | None) -> Columns | None:
        """What the owner asked for, else the files beside the images, where there are some."""
        return asked or (Columns(beside="webdataset") if self.has_labels else None)


def join(context: WorkerContext, digest: str, tars: Sequence[ArchiveEntry]) -> JoinedTar:
    """The files of all, in a folder of the split that each name says, where every one says one.

    Raises InputFailure: ``archive-...``, as of any tar, with the name of the one that it is.
    """
    splits = [_split(tar.name) for tar in tars]
    joined = JoinedTar()
    with context.blobs.writer(context.settings.max_inflated_bytes + 1) as writer:
        for tar, split in zip(tars, splits, strict=True):
            folder = f"{split}/" if split and all(splits) else ""
            try:
                _add(_Part(context, digest, tar), folder, joined, writer)
            except InputFailure as failure:
                raise InputFailure(failure.code, f"{tar.name[-200:]!a}: {failure.detail}") from failure
        writer.write(bytes(2 * BLOCK))
        joined.digest = writer.commit().digest
    joined.notes.append(f"{len(tars)} tars within were read as one, as WebDataset's shards are.")
    return joined


@dataclass(frozen=True)
class _Part:
    """One tar, where it lies in the archive."""

    context: WorkerContext
    digest: str
    tar: ArchiveEntry

    @property
    def blobs(self) -> BlobStore:
        return self.context.blobs

    def files(self) -> Iterator[ArchiveEntry]:
        """Its files, by places in the archive. Raises InputFailure."""
        reader = RangeReader(self.blobs, self.digest, self.tar.offset, self.tar.size)
        for entry in tar_entries(reader, tar_names(reader)):
            if not entry.is_folder and entry.skip is None and entry.same_as is None:
                yield entry

    def pieces(self, entry: ArchiveEntry) -> Iterator[bytes]:
        begin, end = self.tar.offset + entry.offset, self.tar.offset + entry.offset + entry.size
        for offset in range(begin, end, MEBIBYTE):
            yield self.blobs.read_range(self.digest, offset, min(MEBIBYTE, end - offset))


def _add(part: _Part, folder: str, joined: JoinedTar, writer: BlobWriter) -> None:
    most = part.context.settings.max_entries
    for entry in part.files():
        joined.files += 1
        if joined.files > most:
            detail = f"More than {most} files (MAX_ENTRIES): send it as several data sets."
            raise InputFailure("archive-too-many-entries", detail)
        joined.has_labels = joined.has_labels or _says_label(part, entry)
        add_file(writer, folder + from_here(entry.name), entry.size, part.pieces(entry))


def _says_label(part: _Part, entry: ArchiveEntry) -> bool:
    if entry.name.endswith(".cls"):
        return True
    if not entry.name.endswith(".json") or entry.size > _MOST_JSON:
        return False
    return label_in_json(b"".join(part.pieces(entry))) is not None


def _split(name: str) -> str | None:
    """``train-0003.tar``, ``imagenet1k-train-0003.tar``, ``val/0003.tar``; None where the name says none."""
    *folders, file = name.casefold().split("/")
    return next((word for word in (*re.split(r"[-_.]", file), *folders) if is_split_name(word)), None)
