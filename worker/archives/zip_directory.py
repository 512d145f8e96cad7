"""The end record of a ZIP file and the directory before it."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.settings import MEBIBYTE
from worker.archives.name_encodings import NameDecoder
from worker.archives.range_reader import RangeReader
from worker.archives.zip_fields import (
    FULL16,
    FULL32,
    ambiguous,
    declared_name,
    extra_fields,
    malformed,
    told_name,
    widened,
)

_CENTRAL, _END = b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _MAX_COMMENT = 22, 65_535
_MAX_TRAILING, _MAX_PLACES = 64 * MEBIBYTE, 10_000
"""So far back an end record is looked for that has bytes behind it, for a better message; so many are no accident."""


@dataclass(frozen=True)
class Directory:
    """Its place, in bytes, and how many records it holds."""

    start: int
    end: int
    count: int


@dataclass(frozen=True)
class Record:
    """A central directory header; ``local`` is where the entry begins."""

    flags: int
    method: int
    crc: int
    stored_size: int
    size: int
    attributes: int
    system: int
    local: int
    raw_name: bytes
    name: str


def find_directory(reader: RangeReader) -> Directory:
    """By the one end record, which lies at the very end, right behind the directory.

    Raises InputFailure: ``archive-malformed`` without one, ``archive-ambiguous`` where there are two or bytes follow.
    """
    length = min(reader.size, _END_BYTES + _MAX_COMMENT)
    first = reader.size - length
    tail = reader.read(first, length)
    for place in _places(tail):
        if len(tail) - place < _END_BYTES:
            continue
        if place + _END_BYTES + int.from_bytes(tail[place + 20 : place + 22], "little") == len(tail):
            if tail.find(_END, place + 1) > 0:
                raise ambiguous("its comment holds another end record")
            return _read_end(reader, first + place)
    _check_trailing(reader)
    raise malformed("it has no end record: the upload was cut off")


def _places(data: bytes) -> Iterator[int]:
    """Of what looks like an end record, the last first."""
    place = data.rfind(_END)
    while place >= 0:
        yield place
        place = data.rfind(_END, 0, place)


def _check_trailing(reader: RangeReader) -> None:
    """Raises InputFailure ``archive-ambiguous`` where bytes follow an end record."""
    end, tried = reader.size, 0
    while end > max(0, reader.size - _MAX_TRAILING):
        start = max(0, end - MEBIBYTE)
        # Three bytes more, for one that lies across the border.
        for place in _places(reader.read(start, min(end + 3, reader.size) - start)):
            tried += 1
            if tried > _MAX_PLACES or _ends_here(reader, start + place):
                raise ambiguous("bytes follow its end record")
        end = start


def _ends_here(reader: RangeReader, place: int) -> bool:
    """Whether this is an end record, with its directory before it and not only its comment behind it."""
    if place + _END_BYTES > reader.size:
        return False
    count, size, start, comment_bytes = reader.unpack("10xH2IH", place)
    if place + _END_BYTES + comment_bytes > reader.size:
        return False
    if place >= 20 and reader.read(place - 20, 4) == _LOCATOR64:
        return True
    return start + size == place and (count == 0 or reader.read(start, 4) == _CENTRAL)


def _read_end(reader: RangeReader, end: int) -> Directory:
    disk, first_disk, here, count, size, start = reader.unpack("4x4H2I", end)
    last, volumes = end, {0}
    # Some archivers write a ZIP64 end record without need.
    spare = start + size != end and end >= 20 and reader.read(end - 20, 4) == _LOCATOR64
    if spare or count == FULL16 or FULL32 in {size, start}:
        last, wide = _read_end64(reader, end)
        volumes = {0, FULL16}
        if count not in {FULL16, wide[0]} or size not in {FULL32, wide[1]} or start not in {FULL32, wide[2]}:
            raise ambiguous("its two end records disagree")
        here, (count, size, start) = wide[0] if here == count else -1, wide
    if not {disk, first_disk} <= volumes or here != count:
        raise malformed("it is one of several volumes")
    if start + size != last:
        raise ambiguous("its end record does not lie right behind its directory")
    return Directory(start, last, count)


def _read_end64(reader: RangeReader, end: int) -> tuple[int, tuple[int, int, int]]:
    """Where the ZIP64 end record lies; and count, size and start of the directory."""
    if end < 20 or reader.read(end - 20, 4) != _LOCATOR64:
        raise malformed("its ZIP64 locator is missing")
    end_disk, last, disks = reader.unpack("4xIQI", end - 20)
    if last + 56 > end - 20 or reader.read(last, 4) != _END64:
        raise malformed("its ZIP64 end record is missing")
    length, disk, first_disk, here, count, size, start = reader.unpack("4xQ4x2I4Q", last)
    if last + 12 + length != end - 20:
        raise ambiguous("something lies between its ZIP64 end record and the locator")
    if (end_disk, disk, first_disk, here) != (0, 0, 0, count) or disks > 1:
        raise malformed("it is one of several volumes")
    return last, (count, size, start)


def read_record(reader: RangeReader, position: int, limit: int, names: NameDecoder) -> tuple[Record, int]:
    """The record at a place in the directory, which ends at ``limit``, and where the next one begins."""
    fields = _record_fields(reader, position, limit)
    system, flags, method, crc, stored_size, size, *lengths, disk, attributes, local = fields
    end = position + 46 + sum(lengths)
    raw_name = reader.read(position + 46, lengths[0])
    extra = extra_fields(reader.read(position + 46 + lengths[0], lengths[1]), raw_name)
    name = told_name(extra, raw_name, flags) or declared_name(raw_name, flags, system)
    name = names.decode(raw_name) if name is None else name
    size, stored_size, local = widened((size, stored_size, local), extra, disk)
    return Record(flags, method, crc, stored_size, size, attributes, system, local, raw_name, name), end


def undeclared_names(reader: RangeReader, directory: Directory) -> Iterator[bytes]:
    """Those that no flag, field or system gives an encoding."""
    position = directory.start
    for _ in range(directory.count):
        system, flags, *_, name_bytes, extra_bytes, comment_bytes, _, _, _ = _record_fields(
            reader, position, directory.end
        )
        raw_name = reader.read(position + 46, name_bytes)
        extra = extra_fields(reader.read(position + 46 + name_bytes, extra_bytes), raw_name)
        if told_name(extra, raw_name, flags) is None and declared_name(raw_name, flags, system) is None:
            yield raw_name
        position += 46 + name_bytes + extra_bytes + comment_bytes


def _record_fields(reader: RangeReader, position: int, limit: int) -> tuple[int, ...]:
    """System, flags, method, checksum, sizes stored and whole, lengths of name, extra fields and comment, volume,
    attributes, place of the local header."""
    if position + 46 > limit or reader.read(position, 4) != _CENTRAL:
        raise malformed("its directory is broken")
    fields = reader.unpack("5xB2x2H4x3I4H2x2I", position)
    if position + 46 + sum(fields[6:9]) > limit:
        raise malformed("its directory is broken")
    return fields
