"""Fetches that go on after their process was killed: what came is kept until the import is done with.

Only of files whose digest the registry tells: a kept beginning that is another file's, or that the machine's own end
has damaged, is then found out, and all of the file fetched anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.egress.answers import Download
from app.errors import EgressFailure
from app.registries.base import Checksum, Files, Opening, Pieces, Version
from app.settings import MEBIBYTE
from app.storage.blobs import BlobStore
from app.storage.partials import PartialFile, PartialFiles

LEAST_KEPT = 16 * MEBIBYTE
"""What is smaller is as soon fetched again."""


def resuming(registry: Opening, blobs: BlobStore, owner: str) -> Opening:
    """The registry; where the store is a folder, one whose large files are kept as they come."""
    partials = blobs.partials(owner)
    return registry if partials is None else _Resuming(registry, partials)


@dataclass(frozen=True)
class _Resuming:
    registry: Opening
    partials: PartialFiles

    def open(self, uri: str) -> Files:
        return _ResumingFiles(self.registry.open(uri), self.partials)


@dataclass(frozen=True)
class _ResumingFiles:
    """Those of one version."""

    files: Files
    partials: PartialFiles

    @property
    def version(self) -> Version:
        return self.files.version

    def names(self) -> set[str]:
        return self.files.names()

    def checksum(self, name: str) -> Checksum | None:
        return self.files.checksum(name)

    @contextmanager
    def fetch(self, name: str, most_bytes: int) -> Iterator[Pieces]:
        with self.files.fetch(name, most_bytes) as download:
            told = self.files.checksum(name)
            if told is None or not isinstance(download, Download) or (download.size or 0) < LEAST_KEPT:
                yield download
                return
            with self.partials.opened(f"{told.algorithm}:{told.hex}") as partial:
                yield download if partial is None else _Kept(download, told, partial)


@dataclass(frozen=True)
class _Kept:
    """A large file's bytes: those that are here, then what follows them."""

    download: Download
    told: Checksum
    partial: PartialFile

    @property
    def size(self) -> int | None:
        return self.download.size

    def pieces(self) -> Iterator[bytes]:
        """Raises EgressFailure; where what was kept is not the file's beginning, one that passes."""
        begun, whole = self.partial.size, self.download.size or 0
        if begun > whole or (begun < whole and begun and not self.download.skip(begun)):
            self.partial.clear()
            begun = 0
        try:
            yield from self.told.checked(self._all(is_whole=begun == whole))
        except EgressFailure as failure:
            if failure.code != "artifact-corrupted":
                raise
            self.partial.clear()
            raise EgressFailure(failure.code, failure.detail, passing=begun > 0) from failure

    def _all(self, *, is_whole: bool) -> Iterator[bytes]:
        yield from self.partial.read()
        if not is_whole:
            for piece in self.download.pieces():
                self.partial.append(piece)
                yield piece
