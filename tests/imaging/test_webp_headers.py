"""The size of a WebP is read from its header: a canvas that is too large is never reserved."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from app.errors import InputFailure
from app.imaging import decoding
from app.imaging.kinds import webp_size
from app.settings import Settings

KINDS = ("VP8 ", "VP8L", "VP8X")


def webp(kind: str, width: int = 20, height: int = 12) -> bytes:
    scene = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    file = io.BytesIO()
    options = {"icc_profile": b"profile"} if kind == "VP8X" else {}
    Image.fromarray(scene).save(file, "WEBP", lossless=kind == "VP8L", **options)
    assert file.getvalue()[12:16] == kind.encode()
    return file.getvalue()


def claiming(kind: str, width: int, height: int) -> bytes:
    data = bytearray(webp(kind))
    if kind == "VP8X":
        data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == "VP8L":
        data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14 | data[24] >> 4 << 28)
    else:
        data[26:30] = struct.pack("<2H", width, height)
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_sizes(kind: str) -> None:
    small = io.BytesIO()
    Image.new("RGB", (8, 9)).save(small, "WEBP", lossless=True)
    assert webp_size(small.getvalue()) == (8, 9)
    for size in ((20, 12), (300, 17), (8, 1000)):
        assert webp_size(webp(kind, *size)) == decoding.decode_rgb(webp(kind, *size), Settings()).size == size


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_too_large_is_never_opened(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    for size, code in {(16_383, 16_383): "sample-too-many-pixels", (7, 100): "sample-bad-dimensions"}.items():
        with pytest.raises(InputFailure, match=code):
            decoding.decode_rgb(claiming(kind, *size), Settings())


@pytest.mark.parametrize("kind", KINDS)
def test_broken_headers(kind: str) -> None:
    good = webp(kind)
    for broken in (good[:12], good[:16], good[:29], good[:12] + b"ALPH" + good[16:], good[:20] + bytes(len(good) - 20)):
        with pytest.raises(InputFailure, match="sample-"):
            decoding.decode_rgb(broken, Settings())
    with pytest.raises(InputFailure, match="sample-corrupt"):
        decoding.decode_rgb(claiming(kind, 100, 100), Settings())
