"""The entries of a ZIP file, read in place; its structure must be beyond doubt (APPNOTE 6.3.10)."""

from array import array
from collections.abc import Iterator

from app.imaging.entries import ArchiveEntry
from worker.archives.name_encodings import NameDecoder
from worker.archives.range_reader import RangeReader
from worker.archives.zip_directory import find_directory, read_record, undeclared_names
from worker.archives.zip_fields import ambiguous, shown
from worker.archives.zip_local import locate, read_name, tail_lengths

_BITS = {0: 1, 12: 2, 16: 4, 20: 8, 24: 16}
"""Of the lengths that a data descriptor may have: several may be right, and all are kept in a byte."""


def zip_names(reader: RangeReader, encoding: str | None = None) -> NameDecoder:
    """Of names that do not say what they are in. Raises InputFailure where the file has no directory."""
    directory = find_directory(reader)
    return NameDecoder(lambda: undeclared_names(reader, directory), encoding)


def zip_entries(reader: RangeReader, names: NameDecoder) -> Iterator[ArchiveEntry]:
    """Every entry, in directory order; constant memory but for 17 bytes an entry.

    Raises InputFailure: ``archive-malformed``, ``archive-ambiguous``, ``archive-encrypted`` or
    ``archive-special-entry``.
    """
    directory = find_directory(reader)
    tiles = _Tiles(reader)
    position = directory.start
    for _ in range(directory.count):
        record, position = read_record(reader, position, directory.end, names)
        entry = locate(reader, record, directory.start)
        end = entry.offset + entry.stored_size
        tiles.add(record.local, end, tail_lengths(reader, record, end, directory.start))
        yield entry
    if position != directory.end:
        raise ambiguous("its directory holds more than it counts")
    tiles.check(directory.start)


class _Tiles:
    """Entries must fill the file from byte 0 to the directory, without overlap or gap (a data descriptor is none)."""

    def __init__(self, reader: RangeReader) -> None:
        self._reader = reader
        self._starts, self._ends, self._tails = array("Q"), array("Q"), array("B")

    def add(self, start: int, end: int, tails: frozenset[int]) -> None:
        """An entry from its header to the end of its bytes, and how many bytes its data descriptor may have."""
        self._starts.append(start)
        self._ends.append(end)
        self._tails.append(sum(_BITS[length] for length in tails))

    def check(self, directory: int) -> None:
        """Raises InputFailure ``archive-ambiguous`` naming the entry at fault."""
        position, tails, before = 0, _BITS[0], None
        for place in sorted(range(len(self._starts)), key=self._starts.__getitem__):
            start = self._starts[place]
            self._check_gap(start - position, tails, before if before is not None else start)
            position, tails, before = self._ends[place], self._tails[place], start
        self._check_gap(directory - position, tails, before)

    def _check_gap(self, gap: int, tails: int, local: int | None) -> None:
        """Between the entry at ``local``, whose descriptor has one of these lengths, and what comes next."""
        if _BITS.get(gap, 0) & tails:
            return
        if local is None:
            raise ambiguous("bytes lie before its directory")
        what = "something else overlaps the entry" if gap < 0 else "bytes of no entry lie next to the entry"
        raise ambiguous(f"{what} {shown(read_name(self._reader, local))}")
