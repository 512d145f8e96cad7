"""WebDataset's shards: tars of images with their labels beside them (``1.jpg``, ``1.cls``). Those within an archive
become one tar; those that lie elsewhere stay there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from app.domain.samples.splits import is_split_name
from app.domain.samples.table_columns import Columns
from app.errors import InputFailure
from app.imaging.containers import BLOCK, Container, container_of
from app.imaging.entries import ArchiveEntry
from app.imaging.kinds import promised_kind
from app.settings import MEBIBYTE
from app.sources.addresses import ROWS, start_of
from app.sources.objects import NewObject
from app.sources.reader import ListedReader
from app.storage.blobs import BlobStore
from app.storage.writing import BlobWriter
from worker.archives.entry_names import checked_name, from_here
from worker.archives.range_reader import RangeReader
from worker.archives.tar_index import tar_entries, tar_names
from worker.archives.tar_writer import add_file
from worker.intake.listed_objects import CopyInstead, Kind, Numbered, kind_within
from worker.intake.sidecar_labels import may_say_labels, says_label
from worker.lifecycle.context import WorkerContext

_WINDOW_BYTES = 4 * MEBIBYTE
"""Of a tar elsewhere, whose every answer is waited for."""


@dataclass
class JoinedTar:
    """``digest`` is that of the one tar, of one that is made; which files beside the images say labels."""

    kind: ClassVar[Kind] = "tars"
    digest: str = ""
    tars: int = 0
    files: int = 0
    has_labels: bool = False
    encoding: str | None = None
    """Of names, as the owner said it."""
    is_alone: bool = False
    """Whether it lies elsewhere and was named itself: a copy of it can be what no tar of several may be."""

    def columns(self, asked: Columns | None) -> Columns | None:
        """What the owner asked for, else the files beside the images, where there are some."""
        return asked or (Columns(beside="webdataset") if self.has_labels else None)

    @property
    def notes(self) -> list[str]:
        if self.tars == 1:
            return ["A tar within was read as the data set, as WebDataset's shards are."]
        return [f"{self.tars} tars within were read as one, as WebDataset's shards are."]

    def note(self) -> dict[str, Any]:
        """To be stored."""
        return {"tars": self.tars, "has_labels": self.has_labels}

    @classmethod
    def noted(cls, note: Mapping[str, Any]) -> Self:
        """As it was stored; of nothing yet."""
        return cls(**note)


def join(context: WorkerContext, digest: str, tars: Sequence[ArchiveEntry]) -> JoinedTar:
    """The files of all, in a folder of the split that each name says, where every one says one.

    Raises InputFailure: ``archive-...``, as of any tar, with the name of the one that it is.
    """
    folder_of = folders_of_splits(tar.name for tar in tars)
    joined = JoinedTar(tars=len(tars))
    with context.blobs.writer(context.settings.max_inflated_bytes + 1) as writer:
        for tar in tars:
            with _named(tar.name):
                _add(_Part(context, digest, tar), folder_of(tar.name), joined, writer)
        writer.write(bytes(2 * BLOCK))
        joined.digest = writer.commit().digest
    return joined


def folders_of_splits(names: Iterable[str]) -> Callable[[str], str]:
    """Where the files of a shard of that name belong."""
    if not all(map(_split, names)):
        return lambda _: ""
    return lambda name: f"{_split(name)}/"


def tar_objects(
    reader: ListedReader, tar: Numbered, folder: str, joined: JoinedTar, asked: Columns | None
) -> Iterator[NewObject]:
    """The files of a tar that lies elsewhere, where they lie in it, each read over once and none kept but texts that
    may say labels. Notes in ``joined`` whether one does. Raises InputFailure as `join`, CopyInstead and
    TransientFailure.
    """
    window = RangeReader(reader, "", tar.listed.size, start_of(tar.number), window_bytes=_WINDOW_BYTES)
    with _named(tar.listed.key):
        if tar.listed.size > ROWS:
            raise InputFailure("archive-malformed", f"It has more than {ROWS} bytes: write smaller shards.")
        entries = tar_entries(window, tar_names(window, joined.encoding))
        for entry in _checked_alone(window, entries) if joined.is_alone else entries:
            if entry.is_folder or entry.skip is not None or entry.same_as is not None:
                continue
            name = checked_name(folder + from_here(entry.name))
            content = window.read(entry.offset, entry.size) if may_say_labels(name, entry.size, asked) else None
            joined.has_labels = joined.has_labels or says_label(name, content)
            yield NewObject(name, entry.size, container=tar.number, begin=entry.offset, content=content)


def _checked_alone(window: RangeReader, entries: Iterator[ArchiveEntry]) -> Iterator[ArchiveEntry]:
    """Raises CopyInstead where it is no plain tar of images, as a copy of it need not be."""
    if container_of(window.read(0, min(BLOCK, window.size))) not in {Container.TAR, None}:
        raise CopyInstead("it is compressed, or no tar")
    has_images, within = False, ""
    for entry in entries:
        if entry.same_as is not None:
            raise CopyInstead("it has hard links")
        has_images = has_images or promised_kind(entry.name) is not None
        within = entry.name if kind_within(entry.name) is not None else within
        yield entry
    if within and not has_images:
        raise CopyInstead(f"it holds no images but {within[-200:]!a}")


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Failures name the tar."""
    try:
        yield
    except InputFailure as failure:
        raise InputFailure(failure.code, f"{name[-200:]!a}: {failure.detail}") from failure


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
        reader = RangeReader(self.blobs, self.digest, self.tar.size, self.tar.offset)
        for entry in tar_entries(reader, tar_names(reader)):
            if not entry.is_folder and entry.skip is None and entry.same_as is None:
                yield entry

    def content(self, entry: ArchiveEntry) -> bytes:
        return b"".join(self.pieces(entry))

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
        is_text = may_say_labels(entry.name, entry.size, None)
        joined.has_labels = joined.has_labels or says_label(entry.name, part.content(entry) if is_text else None)
        add_file(writer, folder + from_here(entry.name), entry.size, part.pieces(entry))


def _split(name: str) -> str | None:
    """``train-0003.tar``, ``imagenet1k-train-0003.tar``, ``val/0003.tar``; None where the name says none."""
    *folders, file = name.casefold().split("/")
    return next((word for word in (*re.split(r"[-_.]", file), *folders) if is_split_name(word)), None)
