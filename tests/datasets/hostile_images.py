"""Images that lie, and the codes they get."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from tests.datasets.packing import make_zip, picture

PNG = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, body: bytes = b"", extra: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG + header + extra + _chunk(b"IDAT", zlib.compress(body)) + _chunk(b"IEND", b"")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _saved(Image.new("RGB", (16, 8) if orientation < 5 else (8, 16), "red"), "JPEG", exif=exif)


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green")]
    return _saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _bad_crc() -> bytes:
    data = bytearray(picture())
    data[data.index(b"IDAT") + 8] ^= 1
    return bytes(data)


def _webp_bomb() -> bytes:
    """Whose canvas of 16,383 pixels square Pillow would reserve, twice, before it said so."""
    data = bytearray(_saved(Image.new("RGB", (16, 16), "red"), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", 16_382 | 16_382 << 14)
    return bytes(data)


def _jpeg_bomb() -> bytes:
    """Of 65,500 pixels square."""
    data = bytearray(picture(kind="JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">2H", 65_500, 65_500)
    return bytes(data)


def _mode(mode: str, kind: str = "PNG") -> bytes:
    return _saved(Image.new("RGB", (16, 16), (200, 100, 50)).convert(mode), kind)


IMAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "ok_rgb.png": (picture, "ready"),
    "ok_gray16.png": (lambda: _saved(Image.fromarray(np.full((16, 16), 30_000, np.uint16)), "PNG"), "ready"),
    "ok_rgba.png": (lambda: _mode("RGBA"), "ready"),
    "ok_la.png": (lambda: _mode("LA"), "ready"),
    "ok_1bit.png": (lambda: _mode("1"), "ready"),
    "ok_palette.png": (lambda: _saved(Image.new("P", (16, 16)), "PNG", transparency=0), "ready"),
    "pixel_bomb.png": (lambda: _png(60_000, 60_000), "sample-too-many-pixels"),
    "dims_max.png": (lambda: _png(2**31 - 1, 2**31 - 1), "sample-too-many-pixels"),
    "dims_zero.png": (lambda: _png(0, 16), "sample-corrupt"),
    "ztxt_bomb.png": (
        lambda: _png(16, 16, bytes(17 * 16), _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(64 * 1024**2)))),
        "sample-corrupt",
    ),
    "itxt_bomb.png": (
        lambda: _png(16, 16, bytes(17 * 16), _chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(64 * 1024**2)))),
        "sample-corrupt",
    ),
    "nested_named.png": (lambda: make_zip({"a/1.png": picture()}), "sample-unsupported-type"),
    "bad_crc.png": (_bad_crc, "sample-corrupt"),
    "truncated.png": (lambda: picture()[:-30], "sample-corrupt"),
    "bad_zlib.png": (lambda: PNG + _png(16, 16)[8:33] + _chunk(b"IDAT", b"nonsense"), "sample-corrupt"),
    "empty.png": (lambda: b"", "sample-corrupt"),
    "png_named.jpg": (picture, "ready"),
    "html_named.jpg": (lambda: b"<html></html>", "sample-unsupported-type"),
    "svg_named.png": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "sample-unsupported-type"),
    "eps_named.png": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "sample-unsupported-type"),
    "pickle_named.png": (lambda: b"\x80\x04N.", "sample-unsupported-type"),
    "dds_named.png": (lambda: b"DDS " + bytes(200), "sample-unsupported-type"),
    "polyglot.png": (lambda: picture() + b"PK\x03\x04 and more", "ready"),
    "line.png": (lambda: _saved(Image.new("L", (1, 30_000)), "PNG"), "sample-bad-dimensions"),
    "ok.jpg": (lambda: picture(kind="JPEG"), "ready"),
    "ok_progressive.jpg": (lambda: _saved(Image.new("RGB", (16, 16), "red"), "JPEG", progressive=True), "ready"),
    "ok_cmyk.jpg": (lambda: _mode("CMYK", "JPEG"), "ready"),
    "truncated.jpg": (lambda: picture(size=(64, 64), kind="JPEG")[:-200], "sample-corrupt"),
    "header_only.jpg": (lambda: picture(kind="JPEG")[:20], "sample-corrupt"),
    **{f"exif_orient{number}.jpg": (partial(_oriented, number), "ready") for number in range(1, 9)},
    "exif_orient99.jpg": (lambda: _oriented(99), "ready"),
    "exif_garbage.jpg": (
        lambda: picture(kind="JPEG")[:2] + b"\xff\xe1\0\x10Exif\0\0garbage!" + picture(kind="JPEG")[2:],
        "ready",
    ),
    "animated.webp": (lambda: _animated("WEBP"), "ready"),
    "animated.png": (lambda: _animated("PNG"), "ready"),
    "ok.webp": (lambda: picture(kind="WEBP"), "ready"),
    "ok.bmp": (lambda: picture(kind="BMP"), "ready"),
    "canvas_bomb.webp": (_webp_bomb, "sample-too-many-pixels"),
    "frame_bomb.jpg": (_jpeg_bomb, "sample-too-many-pixels"),
    "multipage.tiff": (lambda: _animated("TIFF"), "ready"),
    "header_bomb.bmp": (
        lambda: picture(kind="BMP")[:18] + struct.pack("<ii", 60_000, 60_000) + picture(kind="BMP")[26:],
        "sample-too-many-pixels",
    ),
}
