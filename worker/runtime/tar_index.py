"""The entries of a plain tar file (ustar, pax, GNU long names), read in place and in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.runtime.range_reader import RangeReader

BLOCK = 512
_MAX_EXTENSION_BYTES = 64 * 1024
_MAX_EXTENSIONS = 8
"""Of one entry: one of each kind is what archivers write."""
_NAMING = frozenset({b"path", b"size"})
_FILES, _FOLDER, _PAX, _PAX_GLOBAL, _LONG_NAME = frozenset("0\x007"), "5", "x", "g", "L"


@dataclass(frozen=True)
class _Header:
    kind: str
    name: str
    size: int


@dataclass(frozen=True)
class _Override:
    """What an extension header said of the entry that follows it."""

    name: str | None = None
    size: int | None = None
    headers: int = 0


def tar_entries(reader: RangeReader) -> Iterator[ArchiveEntry]:
    """Every file and folder in stored order. Raises InputFailure ``archive-malformed`` or ``archive-special-entry``."""
    position, override = 0, _Override()
    while position < reader.size:
        block = reader.read(position, BLOCK)
        if not any(block):
            _check_end(reader, position)
            return
        header = _parse(block)
        body = position + BLOCK
        is_extension = header.kind in {_PAX, _LONG_NAME, _PAX_GLOBAL}
        size = header.size if override.size is None or is_extension else override.size
        position = body + -(-size // BLOCK) * BLOCK
        if position > reader.size:
            raise _malformed("it is cut off")
        if is_extension:
            override = _extended(override, header, _extension(reader, body, size))
            continue
        name = override.name or header.name
        if header.kind not in _FILES and header.kind != _FOLDER:
            raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a link or a device.")
        is_folder = header.kind == _FOLDER or name.endswith("/")
        yield ArchiveEntry(name, body, size, size, is_folder=is_folder)
        override = _Override()
    raise _malformed("its end mark is missing")


def _check_end(reader: RangeReader, position: int) -> None:
    """Zeros to the end: nothing may hide behind the end mark."""
    while position < reader.size:
        length = min(BLOCK * 1024, reader.size - position)
        if any(reader.read(position, length)):
            raise InputFailure("archive-ambiguous", "Data follows the end mark of the tar file.")
        position += length


def _parse(block: bytes) -> _Header:
    checksum = _number(block[148:156])
    if checksum != sum(block[:148]) + sum(block[156:]) + 8 * 32:
        raise _malformed("a header's checksum is wrong")
    name, prefix = _text(block[:100]), ""
    if block[257:263] == b"ustar\0":
        prefix = _text(block[345:500])
    return _Header(chr(block[156]), f"{prefix}/{name}" if prefix else name, _number(block[124:136]))


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256; never negative."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise _malformed("a size is negative or too large")
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not all(48 <= digit < 56 for digit in digits):
        raise _malformed("a number in a header is not octal")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    """Of a field of fixed length, which a NUL may end."""
    return _decoded(field.split(b"\0", 1)[0])


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("a name is not UTF-8") from error


def _extension(reader: RangeReader, body: int, size: int) -> bytes:
    if size > _MAX_EXTENSION_BYTES:
        raise _malformed("an extension header is too long")
    return reader.read(body, size)


def _extended(earlier: _Override, header: _Header, data: bytes) -> _Override:
    before = replace(earlier, headers=earlier.headers + 1)
    if before.headers > _MAX_EXTENSIONS:
        raise _malformed("an entry has too many extension headers")
    if header.kind == _LONG_NAME:
        return replace(before, name=_text(data))
    fields = _pax_fields(data)
    if header.kind == _PAX_GLOBAL:
        if fields:
            raise _malformed("a global header names every entry")
        return before
    size = fields.get("size")
    if size is not None and not (size.isascii() and size.isdigit() and len(size) < 20):
        raise _malformed("a size is negative or too large")
    return replace(before, name=fields.get("path", before.name), size=before.size if size is None else int(size))


def _pax_fields(data: bytes) -> dict[str, str]:
    """Those of the records "length key=value\\n" that matter; others may hold any bytes."""
    fields: dict[str, str] = {}
    place = 0
    while place < len(data):
        digits, _, _ = data[place : place + 8].partition(b" ")
        end = place + (int(digits) if digits.isdigit() else 0)
        key, equals, value = data[place + len(digits) + 1 : end].partition(b"=")
        if end > len(data) or not equals or not value.endswith(b"\n"):
            raise _malformed("an extension header is broken")
        if key in _NAMING:
            fields[_decoded(key)] = _decoded(value[:-1])
        place = end
    return fields


def _malformed(what: str) -> InputFailure:
    return InputFailure("archive-malformed", f"The tar file is malformed: {what}.")
