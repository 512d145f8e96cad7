"""Fetches that go on after they broke off: what came is kept until the import is done with.

Only of files that something tells from all others of their name: a digest, an ETag, a commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from app.egress.answers import Begun, Download
from app.errors import EgressFailure
from app.imports.claims import Means
from app.imports.turns import Turn
from app.registries.base import Files, Opening, Pieces, Version
from app.registries.checksums import Checksum
from app.storage.partials import PartialFile, PartialLog


@contextmanager
def resuming(registry: Opening, means: Means) -> Iterator[Opening]:
    """The registry; where the store is a folder, one whose files are kept as they come.

    Raises EgressFailure where bytes are not those that they should be: what was kept is then forgotten, and where some
    of it was used, another attempt may end otherwise.
    """
    partials = means.blobs.partials(str(means.claim.resource_id))
    with nullcontext(None) if partials is None else partials.opened() as log:
        if log is None:
            means.turn.goes_on = False
            yield registry
            return
        kept = _Resuming(registry, log, means.turn)
        try:
            yield kept
        except EgressFailure as failure:
            if failure.code != "artifact-corrupted":
                raise
            log.clear()
            raise EgressFailure(failure.code, failure.detail, passing=failure.passing or kept.was_used) from failure


@dataclass
class _Resuming:
    registry: Opening
    log: PartialLog
    turn: Turn
    was_used: bool = False
    """Whether something was taken out of the log."""

    def open(self, uri: str) -> Files:
        return _ResumingFiles(self.registry.open(uri), self)


@dataclass(frozen=True)
class _ResumingFiles:
    """Those of one version."""

    files: Files
    kept: _Resuming

    @property
    def version(self) -> Version:
        return self.files.version

    def names(self) -> set[str]:
        return self.files.names()

    def pin(self, name: str) -> str | None:
        return self.files.pin(name)

    def checksum(self, name: str) -> Checksum | None:
        return self.files.checksum(name)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Pieces]:
        log, pin, turn = self.kept.log, self.files.pin(name), self.kept.turn
        there = None if pin is None else log.found(pin)
        if there is not None and there.is_whole:
            self.kept.was_used = turn.goes_on = True
            yield there
            return
        begun = None if there is None else Begun(there.kept, there.tag)
        with self.files.fetch(name, most_bytes, begun) as download:
            if pin is None or not isinstance(download, Download) or download.size is None:
                turn.goes_on = False
                yield download
            elif there is not None and download.begins_at == there.kept and download.size == there.size:
                self.kept.was_used = turn.goes_on = True
                yield _Kept(download, there)
            elif download.begins_at:
                raise EgressFailure("artifact-corrupted", "A file has another length than when it began to come.")
            else:
                turn.goes_on = there is None  # else the server was asked for a part, and sends none
                yield _Kept(download, log.add(pin, download.size, download.tag))


@dataclass(frozen=True)
class _Kept:
    """A file's bytes: those that are here, then what follows them."""

    download: Download
    there: PartialFile

    @property
    def size(self) -> int:
        return self.there.size

    def pieces(self) -> Iterator[bytes]:
        """Raises EgressFailure."""
        yield from self.there.pieces()
        for piece in self.download.pieces():
            self.there.append(piece)
            yield piece
