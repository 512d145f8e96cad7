"""What the headers of a ZIP file have in common (APPNOTE 6.3.10): faults, names and extra fields."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.errors import InputFailure

FULL16, FULL32 = 0xFFFF, 0xFFFF_FFFF
"""What stands in a field whose number is in the ZIP64 field."""
UNIX_LIKE = frozenset({3, 16, 19, 30})
"""Makers whose attributes hold the file's mode: Unix, BeOS, macOS, AtheOS."""
_UTF8 = 0x800
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075


def malformed(what: str) -> InputFailure:
    return InputFailure("archive-malformed", f"The ZIP file is malformed: {what}.")


def ambiguous(what: str) -> InputFailure:
    return InputFailure("archive-ambiguous", f"The ZIP file can be read in more than one way: {what}.")


def declared_name(raw_name: bytes, flags: int, system: int) -> str | None:
    """The name where its encoding is beyond doubt; None where it is in some old code page.

    Info-ZIP on Linux, Finder and ditto write UTF-8 and do not say so. Raises InputFailure ``archive-malformed`` for a
    name that is not the UTF-8 that it says it is.
    """
    try:
        if raw_name.isascii() or flags & _UTF8 or system in UNIX_LIKE:
            return raw_name.decode("utf-8")
    except UnicodeDecodeError as error:
        if flags & _UTF8:
            raise malformed(f"the entry name {raw_name[:200]!r} is not UTF-8 although it says so") from error
    return None


def told_name(fields: Mapping[int, bytes], raw_name: bytes, flags: int) -> str | None:
    """The name in Info-ZIP's Unicode field, where the header's own is in some old code page; None where it is not.

    Raises InputFailure ``archive-ambiguous`` for another name beside one that needs none.
    """
    body = fields.get(_UNICODE_PATH)
    if body is None or body[5:] == raw_name:
        return None
    is_of_this_name = body[:5] == struct.pack("<BI", 1, zlib.crc32(raw_name))
    if is_of_this_name and not flags & _UTF8 and not raw_name.isascii():
        with suppress(UnicodeDecodeError):
            return body[5:].decode("utf-8")
    raise ambiguous(f"an extra field gives the entry {shown(raw_name)} another name")


def shown(raw_name: bytes) -> str:
    """For messages, whatever the name is in."""
    return ascii(raw_name.decode("utf-8", "backslashreplace")[:200])


def extra_fields(extra: bytes, raw_name: bytes) -> dict[int, bytes]:
    """The bodies, by kind, of the fields that may change an entry; others may hold anything.

    Raises InputFailure ``archive-ambiguous`` for one that comes twice or is cut off.
    """
    found: dict[int, bytes] = {}
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        body = extra[place + 4 : place + 4 + length]
        place += 4 + length
        if kind not in {_ZIP64, _UNICODE_PATH}:
            continue
        if kind in found or len(body) < length:
            raise ambiguous(f"an extra field of {shown(raw_name)} comes twice or is cut off")
        found[kind] = body
    return found


def widened(numbers: Sequence[int], fields: Mapping[int, bytes], disk: int = 0) -> list[int]:
    """Numbers that do not fit their fields stand in the ZIP64 field, in this order, and then that of the volume.

    Raises InputFailure ``archive-malformed`` where they do not, or where the volume is another one.
    """
    body = fields.get(_ZIP64, b"")
    missing = sum(number == FULL32 for number in numbers)
    if len(body) < 8 * missing:
        raise malformed("a ZIP64 field is missing")
    wide = iter(struct.unpack_from(f"<{missing}Q", body))
    if disk == FULL16:
        disk = int.from_bytes(body[8 * missing : 8 * missing + 4], "little") if len(body) >= 8 * missing + 4 else disk
    if disk != 0:
        raise malformed("an entry lies in another volume")
    return [next(wide) if number == FULL32 else number for number in numbers]
