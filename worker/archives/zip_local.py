"""What stands around an entry's bytes in a ZIP file, a local header and often a data descriptor: both repeat the
directory, or leave it to the other."""

import stat
import struct

from app.errors import InputFailure
from app.imaging.entries import DEFLATED, NO_CRC, STORED, ArchiveEntry
from worker.archives.range_reader import RangeReader
from worker.archives.zip_directory import Record
from worker.archives.zip_fields import FULL32, UNIX_LIKE, ambiguous, decoded, extra_fields, told_name, widened

_LOCAL, _DESCRIPTOR_MARK = b"PK\x03\x04", b"PK\x07\x08"
_ENCRYPTED, _DESCRIPTOR, _STRONG = 0x1, 0x8, 0x40
_AES = 99
_EMPTY_STREAM_BYTES = 2
"""Some archivers deflate folders too."""


def locate(reader: RangeReader, record: Record, limit: int) -> ArchiveEntry:
    """The entry behind a record; its local header, which must lie before ``limit``, must say the same.

    Raises InputFailure ``archive-ambiguous``, ``archive-encrypted``, ``archive-unsupported-compression`` or
    ``archive-special-entry``.
    """
    name = record.name
    _check_kind(record)
    if record.local + 30 > limit or reader.read(record.local, 4) != _LOCAL:
        raise ambiguous(f"the entry {name[:200]!a} has no local header")
    offset, crc = _read_header(reader, record)
    if offset + record.stored_size > limit:
        raise ambiguous(f"the entry {name[:200]!a} reaches into the directory")
    is_folder = name.endswith("/")
    if is_folder and (record.size or record.stored_size > (_EMPTY_STREAM_BYTES if record.method == DEFLATED else 0)):
        raise ambiguous(f"the folder {name[:200]!a} has content")
    return ArchiveEntry(name, offset, record.stored_size, record.size, record.method, crc, is_folder)


def _read_header(reader: RangeReader, record: Record) -> tuple[int, int]:
    """Where the entry's bytes begin, and their checksum: none is right where directory and header give two."""
    flags, method, crc, stored_size, size, name_bytes, extra_bytes = reader.unpack("6x2H4x3I2H", record.local)
    place = record.local + 30
    extra = extra_fields(reader.read(place + name_bytes, extra_bytes), record.name)
    if told_name(extra, record.raw_name, record.flags, record.name) != record.name:
        raise ambiguous(f"the local header of {record.name[:200]!a} has another name")
    size, stored_size = widened((size, stored_size), extra)
    said = [flags, method, stored_size, size]
    known = [record.flags, record.method, record.stored_size, record.size]
    if record.flags & _DESCRIPTOR:
        said, known = [*said, crc], [*known, record.crc]
        said[2:] = [number or other for number, other in zip(said[2:], known[2:], strict=True)]
    if said != known or reader.read(place, name_bytes) != record.raw_name:
        raise ambiguous(f"directory and local header of {record.name[:200]!a} disagree")
    agreed = record.flags & _DESCRIPTOR or crc == record.crc
    return place + name_bytes + extra_bytes, record.crc if agreed else NO_CRC


def read_name(reader: RangeReader, local: int) -> str:
    """As it stands in the local header there; for messages, as there is no telling who wrote it."""
    flags, name_bytes = reader.unpack("6xH18xH", local)
    return decoded(reader.read(local + 30, name_bytes), flags, 0)


def tail_lengths(reader: RangeReader, record: Record, end: int, limit: int) -> frozenset[int]:
    """How many bytes the data descriptor may have that follows an entry's bytes, which end there; {0} without one.

    It may begin with a mark, and its sizes may have 64 bits. Raises InputFailure ``archive-ambiguous`` where it differs
    from the directory.
    """
    if not record.flags & _DESCRIPTOR:
        return frozenset({0})
    found = reader.read(end, min(24, limit - end))
    layouts = ["<I2Q"] if max(record.stored_size, record.size) > FULL32 else ["<I2Q", "<I2I"]
    plain = [struct.pack(layout, record.crc, record.stored_size, record.size) for layout in layouts]
    forms = [*plain, *(_DESCRIPTOR_MARK + form for form in plain)]
    lengths = frozenset(len(form) for form in forms if found.startswith(form))
    if not lengths:
        raise ambiguous(f"the data descriptor of {record.name[:200]!a} says something else than the directory")
    return lengths


def _check_kind(record: Record) -> None:
    name = record.name
    if record.flags & (_ENCRYPTED | _STRONG) or record.method == _AES:
        raise InputFailure("archive-encrypted", f"The entry {name[:200]!a} is encrypted.")
    if record.method not in {STORED, DEFLATED}:
        detail = f"The entry {name[:200]!a} is neither stored nor deflated (method {record.method})."
        raise InputFailure("archive-unsupported-compression", detail)
    kind = stat.S_IFMT(record.attributes >> 16) if record.system in UNIX_LIKE else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a link or a device.")
