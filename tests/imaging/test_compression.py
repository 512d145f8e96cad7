"""The methods of ZIP: files of the tools that write them, and streams that are larger than they say."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import inflate64
import pytest
import zstandard

from app.errors import InputFailure
from app.imaging.compression import BZIP2, DEFLATE64, DEFLATED, LZMA, METHOD_NAMES, XZ, ZSTANDARD, decompressed
from app.imaging.decoding import decode
from app.imaging.entries import read_entry
from tests.datasets.conftest import Archives

FILES = Path(__file__).parents[1] / "datasets" / "files"
WRITTEN = {
    "7z_Deflate64": DEFLATE64,
    "7z_BZip2": BZIP2,
    "7z_LZMA": LZMA,
    "7z_XZ": XZ,
    "python_ZSTD": ZSTANDARD,
}
"""7-Zip 26.02 by ``7z a -tzip -mm=METHOD``; Python's zipfile-zstd 0.0.4: the same two bitmaps."""
ZEROS = bytes(64 * 1024**2)
PROPERTIES = struct.pack("<BI", 93, 1 << 16)


def _deflate(bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return packer.compress(ZEROS) + packer.flush()


def _lzma(properties: bytes) -> bytes:
    options = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    stream = lzma.compress(ZEROS[: 8 * 1024**2], lzma.FORMAT_RAW, filters=options)
    return b"\x09\x04\5\0" + properties + stream


def _deflate64() -> bytes:
    packer = inflate64.Deflater()
    return bytes(packer.deflate(ZEROS) + packer.flush())


BOMBS: dict[int, Callable[[], bytes]] = {
    DEFLATED: lambda: _deflate(-15),
    DEFLATE64: _deflate64,
    BZIP2: lambda: bz2.compress(ZEROS),
    LZMA: lambda: _lzma(PROPERTIES),
    XZ: lambda: lzma.compress(ZEROS, preset=0),
    ZSTANDARD: lambda: zstandard.compress(ZEROS),
}
GREEDY: dict[str, tuple[int, Callable[[], bytes]]] = {
    "a dictionary of 4 GiB": (LZMA, lambda: _lzma(struct.pack("<BI", 93, 2**32 - 1))),
    "a window of 1 GiB": (ZSTANDARD, lambda: b"\x28\xb5\x2f\xfd\x00\xa0" + bytes(64)),
    "a dictionary of 256 MiB": (
        XZ,
        lambda: lzma.compress(
            ZEROS[:1000], lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28, "mf": lzma.MF_HC3}]
        ),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_files_of_the_tools_that_write_them(tmp_path: Path, name: str) -> None:
    archives = Archives(tmp_path)
    content = (FILES / f"{name}.zip").read_bytes()
    digest = archives.put(content)
    entries = [entry for entry in archives.entries(content) if not entry.is_folder]
    assert [(entry.name, entry.compression) for entry in entries] == [
        (f"{label}/1.bmp", WRITTEN[name]) for label in ("cat", "dog")
    ]
    for entry, shade in zip(entries, (10, 90), strict=True):
        image = decode(read_entry(archives.blobs, digest, entry, 10_000), archives.settings).image
        assert image.getpixel((3, 2)) == ((3 * 7 + 2 * 3 + shade) % 256, 3 * 2 + shade, shade)


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    entries = Archives(tmp_path).entries((FILES / "7z_PPMd.zip").read_bytes())
    faults = [entry.fault for entry in entries if not entry.is_folder]
    assert all(fault is not None and "PPMd" in fault.detail for fault in faults)


@pytest.mark.parametrize("method", BOMBS, ids=lambda method: METHOD_NAMES[method])
def test_no_more_comes_out_than_was_asked_for(method: int) -> None:
    """One byte more, so that whoever asked knows; or a refusal, where the stream has to be at its end."""
    try:
        found = decompressed(BOMBS[method](), method, 1000)
    except InputFailure:
        assert method in {DEFLATED, BZIP2, XZ}
    else:
        assert found == bytes(1001)


@pytest.mark.parametrize("name", GREEDY)
def test_memory_that_a_stream_may_not_ask_for(name: str) -> None:
    method, make = GREEDY[name]
    with pytest.raises(InputFailure, match="broken"):
        decompressed(make(), method, 1000)
