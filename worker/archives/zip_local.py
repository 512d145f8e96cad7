"""What stands around an entry's bytes in a ZIP file, a local header and often a data descriptor: both repeat the
directory, or leave it to the other."""

import stat
import struct

from app.errors import InputFailure
from app.imaging.compression import DEFLATED, METHOD_NAMES, OTHER_METHODS
from app.imaging.entries import NO_CRC, ArchiveEntry, Fault
from worker.archives.range_reader import RangeReader
from worker.archives.zip_directory import Record
from worker.archives.zip_fields import FULL32, UNIX_LIKE, ambiguous, extra_fields, told_name, widened

_LOCAL, _DESCRIPTOR_MARK = b"PK\x03\x04", b"PK\x07\x08"
_ENCRYPTED, _DESCRIPTOR, _STRONG = 0x1, 0x8, 0x40
_AES = 99
_EMPTY_STREAM_BYTES = 2
"""Some archivers deflate folders too."""


def locate(reader: RangeReader, record: Record, limit: int) -> ArchiveEntry:
    """The entry behind a record; its local header, which must lie before ``limit``, must say the same.

    Raises InputFailure ``archive-ambiguous``, ``archive-encrypted`` or ``archive-special-entry``.
    """
    name = record.name
    is_link = _is_link(record)
    if record.local + 30 > limit or reader.read(record.local, 4) != _LOCAL:
        raise ambiguous(f"the entry {name[:200]!a} has no local header")
    offset, crc = _read_header(reader, record)
    if offset + record.stored_size > limit:
        raise ambiguous(f"the entry {name[:200]!a} reaches into the directory")
    is_folder = name.endswith("/")
    if is_folder and (record.size or record.stored_size > (_EMPTY_STREAM_BYTES if record.method == DEFLATED else 0)):
        raise ambiguous(f"the folder {name[:200]!a} has content")
    sizes = (offset, record.stored_size, record.size, record.method, crc)
    if is_link:
        return ArchiveEntry(name, *sizes, skip="symbolic-link")
    return ArchiveEntry(name, *sizes, is_folder, fault=None if is_folder else _fault(record))


def _read_header(reader: RangeReader, record: Record) -> tuple[int, int]:
    """Where the entry's bytes begin, and their checksum: none is right where directory and header give two."""
    flags, method, crc, stored_size, size, name_bytes, extra_bytes = reader.unpack("6x2H4x3I2H", record.local)
    place = record.local + 30
    extra = extra_fields(reader.read(place + name_bytes, extra_bytes), record.raw_name)
    if told_name(extra, record.raw_name, record.flags) not in {None, record.name}:
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


def read_name(reader: RangeReader, local: int) -> bytes:
    """As it stands in the local header there."""
    (name_bytes,) = reader.unpack("26xH", local)
    return reader.read(local + 30, name_bytes)


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


def _is_link(record: Record) -> bool:
    """Raises InputFailure ``archive-encrypted`` or ``archive-special-entry``."""
    name = record.name
    if record.flags & (_ENCRYPTED | _STRONG) or record.method == _AES:
        raise InputFailure("archive-encrypted", f"The entry {name[:200]!a} is encrypted: send it without a password.")
    kind = stat.S_IFMT(record.attributes >> 16) if record.system in UNIX_LIKE else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}:
        raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a device: leave it out.")
    return kind == stat.S_IFLNK


def _fault(record: Record) -> Fault | None:
    if record.method in METHOD_NAMES:
        return None
    method = OTHER_METHODS.get(record.method, "unknown")
    detail = f"It is compressed by the method {record.method} ({method}), which is not read: write it with deflate."
    return Fault("sample-unsupported-compression", detail)
