"""The entries of a ZIP file, read in place; its structure must be beyond doubt (APPNOTE 6.3.10)."""

import stat
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.errors import InputFailure
from app.imaging.entries import DEFLATED, STORED, ArchiveEntry
from worker.runtime.range_reader import RangeReader

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _MAX_COMMENT = 22, 65_535
_ENCRYPTED, _DESCRIPTOR, _STRONG, _UTF8 = 0x1, 0x8, 0x40, 0x800
_DESCRIPTOR_BYTES = frozenset({12, 16, 20, 24})
_AES, _UNIX = 99, 3
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF


@dataclass(frozen=True)
class _Directory:
    start: int
    size: int
    count: int


@dataclass(frozen=True)
class _Record:
    """A central directory header."""

    flags: int
    method: int
    crc: int
    stored_size: int
    size: int
    attributes: int
    system: int
    local: int
    raw_name: bytes


def zip_entries(reader: RangeReader) -> Iterator[ArchiveEntry]:
    """Every entry, in directory order; constant memory but for 24 bytes an entry.

    Raises InputFailure: ``archive-malformed``, ``archive-ambiguous``, ``archive-encrypted``,
    ``archive-unsupported-compression`` or ``archive-special-entry``.
    """
    directory = _find_directory(reader)
    starts, ends, described = array("Q"), array("Q"), array("B")
    position = directory.start
    for _ in range(directory.count):
        record, position = _read_record(reader, position, directory.start + directory.size)
        entry = _locate(reader, record, directory.start)
        starts.append(record.local)
        ends.append(entry.offset + entry.stored_size)
        described.append(bool(record.flags & _DESCRIPTOR))
        yield entry
    if position != directory.start + directory.size:
        raise _ambiguous("its directory holds more than it counts")
    _check_tiling(starts, ends, described, directory.start)


def _find_directory(reader: RangeReader) -> _Directory:
    """One end record, at the very end, right behind the directory."""
    length = min(reader.size, _END_BYTES + _MAX_COMMENT)
    tail = reader.read(reader.size - length, length)
    place = tail.rfind(_END)
    while place >= 0 and len(tail) - place >= _END_BYTES:
        if place + _END_BYTES + int.from_bytes(tail[place + 20 : place + 22], "little") == len(tail):
            if tail.find(_END, place + 1) > 0:
                raise _ambiguous("its comment holds another end record")
            return _read_end(reader, reader.size - length + place)
        place = tail.rfind(_END, 0, place)
    raise _malformed("it has no end record: the upload was cut off")


def _read_end(reader: RangeReader, end: int) -> _Directory:
    disk, first_disk, here, count, size, start = reader.unpack("4x4H2I", end)
    if disk not in {0, _FULL16} or first_disk not in {0, _FULL16} or here != count:
        raise _malformed("it is one of several volumes")
    last = end
    if count == _FULL16 or _FULL32 in {size, start}:
        if end < 20 or reader.read(end - 20, 4) != _LOCATOR64:
            raise _malformed("its ZIP64 locator is missing")
        (last,) = reader.unpack("8xQ4x", end - 20)
        if last + 56 > end - 20 or reader.read(last, 4) != _END64:
            raise _malformed("its ZIP64 end record is missing")
        if last + 12 + reader.unpack("4xQ", last)[0] != end - 20:
            raise _ambiguous("something lies between its ZIP64 end record and the locator")
        count, size, start = reader.unpack("32xQQQ", last)
    if start + size != last:
        raise _ambiguous("its end record does not lie right behind its directory")
    return _Directory(start, size, count)


def _read_record(reader: RangeReader, position: int, limit: int) -> tuple[_Record, int]:
    if position + 46 > limit or reader.read(position, 4) != _CENTRAL:
        raise _malformed("its directory is broken")
    fields = reader.unpack("5xB2x2H4x3I3H4x2I", position)
    system, flags, method, crc, stored_size, size, name_bytes, extra_bytes, comment_bytes, attributes, local = fields
    end = position + 46 + name_bytes + extra_bytes + comment_bytes
    if end > limit:
        raise _malformed("its directory is broken")
    raw_name = reader.read(position + 46, name_bytes)
    extra = reader.read(position + 46 + name_bytes, extra_bytes)
    size, stored_size, local = _widened((size, stored_size, local), extra)
    return _Record(flags, method, crc, stored_size, size, attributes, system, local, raw_name), end


def _widened(numbers: Sequence[int], extra: bytes) -> list[int]:
    """Numbers that do not fit their fields stand in the ZIP64 field, in this order."""
    wide = iter(_zip64_fields(extra))
    try:
        return [next(wide) if number == _FULL32 else number for number in numbers]
    except StopIteration as error:
        raise _malformed("a ZIP64 field is missing") from error


def _zip64_fields(extra: bytes) -> list[int]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = (int.from_bytes(extra[place + n : place + n + 2], "little") for n in (0, 2))
        body = extra[place + 4 : place + 4 + length]
        if kind == 1:
            return [int.from_bytes(body[n : n + 8], "little") for n in range(0, len(body) - 7, 8)]
        place += 4 + length
    return []


def _locate(reader: RangeReader, record: _Record, limit: int) -> ArchiveEntry:
    """The entry behind a record; its local header must say the same."""
    name = _decoded(record)
    _check_kind(record, name)
    if record.local + 30 > limit or reader.read(record.local, 4) != _LOCAL:
        raise _ambiguous(f"the entry {name[:200]!a} has no local header")
    flags, method, _, stored_size, size, name_bytes, extra_bytes = reader.unpack("6x2H4x3I2H", record.local)
    offset = record.local + 30 + name_bytes + extra_bytes
    same = (flags, method) == (record.flags, record.method)
    if not record.flags & _DESCRIPTOR:
        extra = reader.read(record.local + 30 + name_bytes, extra_bytes)
        same &= _widened((size, stored_size), extra) == [record.size, record.stored_size]
    if not same or reader.read(record.local + 30, name_bytes) != record.raw_name:
        raise _ambiguous(f"directory and local header of {name[:200]!a} disagree")
    if offset + record.stored_size > limit:
        raise _ambiguous(f"the entry {name[:200]!a} reaches into the directory")
    is_folder = name.endswith("/")
    return ArchiveEntry(name, offset, record.stored_size, record.size, record.method, record.crc, is_folder)


def _decoded(record: _Record) -> str:
    if not record.flags & _UTF8:
        return record.raw_name.decode("cp437")
    try:
        return record.raw_name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("an entry name is not UTF-8 although it says so") from error


def _check_kind(record: _Record, name: str) -> None:
    if record.flags & (_ENCRYPTED | _STRONG) or record.method == _AES:
        raise InputFailure("archive-encrypted", f"The entry {name[:200]!a} is encrypted.")
    if record.method not in {STORED, DEFLATED}:
        detail = f"The entry {name[:200]!a} is neither stored nor deflated (method {record.method})."
        raise InputFailure("archive-unsupported-compression", detail)
    kind = stat.S_IFMT(record.attributes >> 16) if record.system == _UNIX else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a link or a device.")


def _check_tiling(starts: "array[int]", ends: "array[int]", described: "array[int]", directory: int) -> None:
    """Entries fill the file from byte 0 to the directory, without overlap or gap (a data descriptor is none)."""
    position, may_descriptor = 0, False
    for place in sorted(range(len(starts)), key=starts.__getitem__):
        _check_gap(starts[place] - position, may_descriptor)
        position, may_descriptor = ends[place], bool(described[place])
    _check_gap(directory - position, may_descriptor)


def _check_gap(gap: int, may_descriptor: bool) -> None:  # noqa: FBT001
    if gap != 0 and not (may_descriptor and gap in _DESCRIPTOR_BYTES):
        raise _ambiguous("its entries overlap or leave gaps")


def _malformed(what: str) -> InputFailure:
    return InputFailure("archive-malformed", f"The ZIP file is malformed: {what}.")


def _ambiguous(what: str) -> InputFailure:
    return InputFailure("archive-ambiguous", f"The ZIP file can be read in more than one way: {what}.")
