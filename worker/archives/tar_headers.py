"""The headers of a tar file: those of entries, and those that say more of the entry behind them (pax, GNU)."""

from dataclasses import dataclass, replace

from app.errors import InputFailure
from app.imaging.containers import tar_checksum

FILES, FOLDER, HARD_LINK, SYMBOLIC_LINK = frozenset("0\x007"), "5", "1", "2"
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = "x", "g", "L", "K"
EXTENSIONS = frozenset({_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK})
"""Kinds of headers."""
_MAX_EXTENSIONS = 8
"""Of one entry: one of each kind is what archivers write."""
_NAMING = frozenset({b"path", b"linkpath", b"size"})
_SPARSE = b"GNU.sparse."


@dataclass(frozen=True)
class Header:
    """``kind`` is the type flag, ``size`` that of the bytes behind the header.

    ``name`` holds bytes that are not UTF-8 as surrogates: where an extension gives the whole name, its beginning, which
    stands here, may end within a letter.
    """

    kind: str
    name: str
    size: int
    target: str = ""
    """Of a link."""


@dataclass(frozen=True)
class Override:
    """What the extension headers before an entry said of it."""

    name: str | None = None
    target: str | None = None
    size: int | None = None
    is_sparse: bool = False
    headers: int = 0


def malformed(what: str) -> InputFailure:
    return InputFailure("archive-malformed", f"The tar file is malformed: {what}.")


def ambiguous(what: str) -> InputFailure:
    return InputFailure("archive-ambiguous", f"The tar file can be read in more than one way: {what}.")


def parse_header(block: bytes, position: int) -> Header:
    """Of the 512 bytes at a position, which a fault is told by as long as there is no name.

    Raises InputFailure ``archive-malformed``.
    """
    if _number(block[148:156], f"the checksum at byte {position}") != tar_checksum(block):
        raise malformed(f"the checksum of the header at byte {position} is wrong")
    raw_name, prefix = _until_nul(block[:100]), b""
    if block[257:263] == b"ustar\0":
        prefix = _until_nul(block[345:500])
    name = (prefix + b"/" + raw_name if prefix else raw_name).decode("utf-8", "surrogateescape")
    target = _until_nul(block[157:257]).decode("utf-8", "surrogateescape")
    return Header(chr(block[156]), name, _number(block[124:136], f"the size of {name[:200]!a}"), target)


def extended(earlier: Override, header: Header, data: bytes) -> Override:
    """What is known with one extension header more, whose bytes are ``data``.

    Raises InputFailure ``archive-malformed``, or ``archive-ambiguous`` where it contradicts an earlier one.
    """
    found = replace(earlier, headers=earlier.headers + 1)
    if found.headers > _MAX_EXTENSIONS:
        raise malformed(f"too many extension headers, up to {header.name[:200]!a}, belong to one entry")
    if header.kind == _LONG_NAME:
        return _named(found, _text(_until_nul(data)))
    if header.kind == _LONG_LINK:
        return replace(found, target=_text(_until_nul(data)))
    fields = _pax_fields(data, header.name)
    if header.kind == _PAX_GLOBAL:
        if fields:
            raise malformed("a global header describes every entry")
        return found
    found = _named(found, fields["path"]) if "path" in fields else found
    found = replace(found, target=fields.get("linkpath", found.target))
    is_sparse = found.is_sparse or any(key.startswith(_SPARSE.decode()) for key in fields)
    return replace(found, size=_pax_size(found, fields.get("size"), header.name), is_sparse=is_sparse)


def _named(found: Override, name: str) -> Override:
    if found.name not in {None, name}:
        raise ambiguous(f"an entry is called {str(found.name)[:200]!a} as well as {name[:200]!a}")
    return replace(found, name=name)


def _pax_size(found: Override, text: str | None, name: str) -> int | None:
    if text is None:
        return found.size
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise malformed(f"the size in the extension header {name[:200]!a} is negative or too large")
    if found.size not in {None, int(text)}:
        raise ambiguous(f"the extension header {name[:200]!a} gives an entry a second size")
    return int(text)


def _pax_fields(data: bytes, name: str) -> dict[str, str]:
    """Those of the records "length key=value\\n" that matter; others may hold any bytes."""
    fields: dict[str, str] = {}
    place = 0
    while place < len(data):
        digits, _, _ = data[place : place + 8].partition(b" ")
        end = place + (int(digits) if digits.isdigit() else 0)
        key, equals, value = data[place + len(digits) + 1 : end].partition(b"=")
        if end > len(data) or not equals or not value.endswith(b"\n"):
            raise malformed(f"the extension header {name[:200]!a} is broken")
        if key in _NAMING or key.startswith(_SPARSE):
            fields[key.decode("ascii", "backslashreplace")] = _text(value[:-1])
        place = end
    return fields


def _number(field: bytes, what: str) -> int:
    """Octal digits, or GNU's base 256; never negative."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise malformed(f"{what} is negative or too large")
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not all(48 <= digit < 56 for digit in digits):
        raise malformed(f"{what} is not octal")
    return int(digits or b"0", 8)


def _until_nul(field: bytes) -> bytes:
    """Of a field of fixed length, which a NUL may end."""
    return field.split(b"\0", 1)[0]


def _text(raw: bytes) -> str:
    """With surrogates for what is not UTF-8, which is for others to decode."""
    return raw.decode("utf-8", "surrogateescape")
