"""The compression methods of ZIP (APPNOTE 6.3.10, 4.4.5), each bounded in what it makes and in the memory it takes."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable

import inflate64
import zstandard

from app.errors import InputFailure

STORED, DEFLATED, DEFLATE64, BZIP2, LZMA, ZSTANDARD, XZ = 0, 8, 9, 12, 14, 93, 95

METHOD_NAMES = {
    STORED: "stored",
    DEFLATED: "deflate",
    DEFLATE64: "Deflate64",
    BZIP2: "bzip2",
    LZMA: "LZMA",
    ZSTANDARD: "Zstandard",
    XZ: "XZ",
}
"""What is read; the names of others are in ``OTHER_METHODS``."""
OTHER_METHODS = {1: "shrink", 6: "implode", 10: "PKWARE DCL", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd"}

MEMORY_BYTES = 128 * 1024**2
"""That a decompressor may take for its dictionary or window: what the highest levels of xz and zstd need."""
_PART = 4096
"""Stored bytes that are inflated at once where the library has no limit on what comes out."""


def decompressed(stored: bytes, method: int, size: int) -> bytes:
    """At most ``size`` bytes and one more. Raises InputFailure ``sample-corrupt``."""
    if method == STORED:
        return stored
    try:
        return _METHODS[method](stored, size)
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError, KeyError) as error:
        name = METHOD_NAMES.get(method, str(method))
        raise InputFailure("sample-corrupt", f"The entry's {name} stream is broken.") from error


def _inflate(stored: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    data = inflater.decompress(stored, size + 1)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the stream does not end where it says")
    return data


def _inflate64(stored: bytes, size: int) -> bytes:
    inflater, data = inflate64.Inflater(), bytearray()
    for start in range(0, len(stored), _PART):
        data += inflater.inflate(stored[start : start + _PART])
        if len(data) > size:
            break
    return bytes(data[: size + 1])


def _bunzip(stored: bytes, size: int) -> bytes:
    decompressor = bz2.BZ2Decompressor()
    data = decompressor.decompress(stored, size + 1)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("the stream does not end where it says")
    return data


def _unlzma(stored: bytes, size: int) -> bytes:
    """Two bytes of version, two of the properties' length, five of properties: then the stream (5.8.8)."""
    if stored[2:4] != b"\5\0" or len(stored) < 9 or stored[4] >= 225:
        raise ValueError("the properties are broken")
    rest, lc = divmod(stored[4], 9)
    pb, lp = divmod(rest, 5)
    dictionary = int.from_bytes(stored[5:9], "little")
    if dictionary > MEMORY_BYTES:
        raise ValueError("the dictionary is too large")
    options = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options]).decompress(stored[9:], size + 1)


def _unxz(stored: bytes, size: int) -> bytes:
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES)
    data = decompressor.decompress(stored, size + 1)
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("the stream does not end where it says")
    return data


def _unzstd(stored: bytes, size: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=MEMORY_BYTES)
    with decompressor.stream_reader(io.BytesIO(stored)) as reader:
        return reader.read(size + 1)


_METHODS: dict[int, Callable[[bytes, int], bytes]] = {
    DEFLATED: _inflate,
    DEFLATE64: _inflate64,
    BZIP2: _bunzip,
    LZMA: _unlzma,
    XZ: _unxz,
    ZSTANDARD: _unzstd,
}
