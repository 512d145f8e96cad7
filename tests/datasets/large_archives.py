"""ZIP files beyond what their 16 and 32 bit fields hold, made byte by byte; long ones are mostly holes."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

FULL16, FULL32 = 0xFFFF, 0xFFFF_FFFF


class Stored(NamedTuple):
    """An entry: its bytes, and zeros behind them that take no room on the disk; told in ZIP64 fields if wanted.

    With ``claimed`` they are said to be a deflate stream of so many bytes.
    """

    name: str
    data: bytes
    zeros: int = 0
    wide: bool = False
    claimed: int | None = None

    @property
    def size(self) -> int:
        return len(self.data) + self.zeros


def write_zip(file: BinaryIO, entries: Sequence[Stored], *, gap: int = 0) -> None:
    """``gap`` bytes lie between the ZIP64 end record and its locator."""
    records = bytearray()
    checksums: dict[tuple[bytes, int], int] = {}
    for entry in entries:
        key = (entry.data, entry.zeros)
        if key not in checksums:
            checksums[key] = zlib.crc32(bytes(entry.zeros), zlib.crc32(entry.data))
        records += _write_entry(file, entry, checksums[key])
    start = file.tell()
    file.write(records)
    end64 = file.tell()
    file.write(struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, *[len(entries)] * 2, len(records), start))
    file.write(bytes(gap) + struct.pack("<4sIQI", b"PK\x06\x07", 0, end64, 1))
    file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, FULL16, FULL16, FULL32, FULL32, 0))


def _write_entry(file: BinaryIO, entry: Stored, checksum: int) -> bytes:
    """Its record for the directory."""
    name, place = entry.name.encode(), file.tell()
    method, size = (0, entry.size) if entry.claimed is None else (8, entry.claimed)
    sizes = (FULL32, FULL32) if entry.wide else (entry.size, size)
    wide = struct.pack("<2H2Q", 1, 16, entry.size, entry.size) if entry.wide else b""
    fields = (0, method, 0, 0, checksum, *sizes, len(name))
    file.write(struct.pack("<4sH4H3I2H", b"PK\x03\x04", 45, *fields, len(wide)) + name + wide + entry.data)
    file.seek(entry.zeros, 1)
    if place >= FULL32 or entry.wide:
        numbers = (*([entry.size] * 2 if entry.wide else []), place)
        wide, place = struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers), FULL32
    extra = (len(wide), 0, 0, 0, 0, place)
    return struct.pack("<4s2H4H3I5H2I", b"PK\x01\x02", 45, 45, *fields, *extra) + name + wide


def store(folder: Path, entries: Sequence[Stored], *, gap: int = 0) -> str:
    """As a blob of the store in that folder; its digest, which nobody checks, is not the content's."""
    digest = f"{len(entries):064x}"
    place = folder / "blobs" / "sha256" / digest[:2] / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        write_zip(file, entries, gap=gap)
    return f"sha256:{digest}"
