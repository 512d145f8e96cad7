"""A version whose files are in one tar, as SageMaker keeps it (``model.tar.gz``): its members take their place."""

import os
import tarfile
import tempfile
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from app.domain.refusals.weights import DAMAGED
from app.egress.answers import Begun
from app.errors import EgressFailure
from app.imports.storing import StillAtIt, checked_pieces
from app.registries.base import Files, Version
from app.registries.named_files import is_hidden, is_tar

PIECE_BYTES = 1024 * 1024
MOST_HEADER_BYTES = 64 * 1024
"""That tarfile may read at once: names and extension headers, whose length the archive itself says."""
MOST_MEMBERS = 10_000
_GZIP = 16 + zlib.MAX_WBITS


@contextmanager
def unpacked(files: Files, max_bytes: int, still_at_it: StillAtIt) -> Iterator[Files]:
    """The members of its tar where a version is one tar, from a copy that is gone afterwards; else the files as they
    are. Raises EgressFailure, InputFailure ``model-invalid``."""
    tars = [name for name in files.names() if is_tar(name)]
    if len(tars) != 1:
        yield files
        return
    with tempfile.TemporaryFile() as copy:
        size = 0
        for piece in _plain(files, tars[0], max_bytes):
            size += len(piece)
            if size > max_bytes:
                raise EgressFailure("answer-too-large", f"Unpacked, {tars[0]} has more than {max_bytes} bytes.")
            copy.write(piece)
            still_at_it()
        yield Members(files.version, copy, _members(copy, tars[0]))


@dataclass(frozen=True)
class Span:
    """Where a member's bytes are in the copy."""

    file: IO[bytes]
    offset: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        for begin in range(0, self.size, PIECE_BYTES):
            self.file.seek(self.offset + begin)
            yield self.file.read(min(PIECE_BYTES, self.size - begin))


@dataclass(frozen=True)
class Members:
    """The files of a version that was one tar."""

    version: Version
    copy: IO[bytes]
    places: Mapping[str, tuple[int, int]]

    def names(self) -> set[str]:
        return set(self.places)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Span]:
        del begun
        span = Span(self.copy, *self.places[name])
        if span.size > most_bytes:
            raise EgressFailure("answer-too-large", f"{name[-200:]} has more than {most_bytes} bytes.")
        yield span

    def pin(self, name: str) -> None:
        """None: the tar has one."""
        del name

    def checksum(self, name: str) -> None:
        """None: the registry tells that of the tar."""
        del name


def _plain(files: Files, name: str, max_bytes: int) -> Iterator[bytes]:
    with files.fetch(name, max_bytes) as download:
        pieces = checked_pieces(files, name, download)
        yield from pieces if name.endswith(".tar") else _inflated(pieces, name)


def _inflated(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """A piece at a time, whatever a few bytes may become."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        for piece in pieces:
            rest = piece
            while rest and not inflater.eof:
                yield inflater.decompress(rest, PIECE_BYTES)
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise DAMAGED.failure(what=f"{name[-200:]} is no gzip") from error
    if not inflater.eof:
        raise DAMAGED.failure(what=f"{name[-200:]} is cut off")


def _members(copy: IO[bytes], name: str) -> dict[str, tuple[int, int]]:
    """Offset and length of each regular file; links, devices, holes and hidden files (of a Mac) are passed over."""
    found: dict[str, tuple[int, int]] = {}
    try:
        copy.seek(0)
        with tarfile.open(fileobj=_Careful(copy), mode="r:") as archive:  # type: ignore[call-overload]
            for count, one in enumerate(archive):
                if count >= MOST_MEMBERS:
                    raise EgressFailure("answer-too-large", f"{name[-200:]} has more than {MOST_MEMBERS} members.")
                if one.isreg() and not one.issparse() and not is_hidden(one.name):
                    found[_new_path(one.name, found)] = (one.offset_data, one.size)
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise DAMAGED.failure(what=f"{name[-200:]} is no tar that can be read") from error
    return _below_the_top(found)


def _below_the_top(found: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Without the folders that hold everything: a version is packed with its folder as often as without."""
    if not found:
        return found
    top = os.path.commonpath([name.rpartition("/")[0] for name in found])
    return {name[len(top) :].lstrip("/"): place for name, place in found.items()}


def _new_path(name: str, taken: Container[str]) -> str:
    """Raises ValueError for one that leads out, or that another member has."""
    path = name.removeprefix("./")
    if path in taken or any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError(path)
    return path


class _Careful:
    """A file of which nobody reads much at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > MOST_HEADER_BYTES:
            raise tarfile.ReadError("a header is too long")
        return self._file.read(size)
