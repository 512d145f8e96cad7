"""ZIP files with one thing that is not as it should be, made field by field."""

import io
import struct
import zipfile
import zlib
from typing import Any

from tests.datasets.packing import GOOD

CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"
NAME = "a/\u00e4.png"


class Unseekable(io.BytesIO):
    """Python's writer puts a data descriptor behind every entry of such a file."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: Any) -> int:
        raise OSError


def streamed(method: int = zipfile.ZIP_DEFLATED, *, wide: bool = False) -> bytes:
    file = Unseekable()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in GOOD.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=wide) as entry:
                entry.write(data)
    return file.getvalue()


def zipped(
    fields: dict[str, int] | None = None,
    *,
    raw: bytes = NAME.encode(),
    extra: bytes = b"",
    central: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """One stored entry; any number of its local header or (as ``c_...``) its record may be another, and any extra."""
    data, fields = GOOD["a/1.png"], fields or {}
    good = {"flags": 0x800, "method": 0, "crc": zlib.crc32(data), "stored": len(data), "size": len(data)}
    local = good | {name: value for name, value in fields.items() if name in good}
    told = good | {name.removeprefix("c_"): value for name, value in fields.items() if name.startswith("c_")}
    order = ("crc", "stored", "size")
    head = struct.pack("<4sH2H2H", b"PK\x03\x04", 20, local["flags"], local["method"], 0, 0)
    head += struct.pack("<3I2H", *(local[name] for name in order), len(raw), len(extra)) + raw + extra
    record = struct.pack("<4s2H2H2H", CENTRAL, told.get("maker", 0x314), 20, told["flags"], told["method"], 0, 0)
    record += struct.pack("<3I2H", *(told[name] for name in order), len(raw), len(central))
    record += struct.pack("<3H2I", 0, told.get("disk", 0), 0, 0, told.get("local", 0)) + raw + central
    body = head + data + tail
    return body + record + struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(record), len(body), 0)


def field(kind: int, body: bytes) -> bytes:
    return struct.pack("<2H", kind, len(body)) + body
