"""Transparency and 16 bits as owners' code may have read them: with Pillow, by ``convert("RGB")`` or on white."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut

from app.domain.models.input_spec import Alpha, PixelReading, SixteenBit
from app.imaging.decoding import decode_rgb
from app.settings import Settings
from tests.imaging.test_decoding import png16

PICTURE = astronaut()[:48, 200:240]
ALPHA = np.linspace(0, 255, PICTURE[..., 0].size).reshape(PICTURE.shape[:2]).astype(np.uint8)


def transparent(mode: str) -> bytes:
    """A photograph with transparency of every degree, as a PNG."""
    image = Image.fromarray(PICTURE).convert(mode.removesuffix("A"))
    options = {}
    if mode == "P":
        options = {"transparency": bytes(range(256))}
    else:
        image.putalpha(Image.fromarray(ALPHA))
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def decoded(data: bytes, alpha: Alpha = Alpha.BLACK, sixteen_bit: SixteenBit = SixteenBit.SCALED) -> NDArray[np.uint8]:
    return np.asarray(decode_rgb(data, Settings(), reading=PixelReading(alpha, sixteen_bit)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency(mode: str) -> None:
    data = transparent(mode)
    image = Image.open(io.BytesIO(data))
    shown = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(shown, mask=shown.getchannel("A"))
    found = decoded(data, Alpha.WHITE).astype(int)
    assert np.abs(found - np.asarray(white)).max() <= 1
    dropped = decoded(data, Alpha.DROPPED)
    assert np.array_equal(dropped, np.asarray(image.convert("RGB")))
    assert not np.array_equal(dropped, decoded(data))


def test_sixteen_bits_as_pillow_has_them() -> None:
    wide = (PICTURE.astype(np.uint16) * 257) ^ 91
    grey = io.BytesIO()
    Image.fromarray(wide[..., 0] // 100).save(grey, "PNG")
    for data in (png16(wide, 2), grey.getvalue()):
        theirs = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        found = decoded(data, sixteen_bit=SixteenBit.PILLOW)
        assert np.array_equal(found, theirs)
        assert not np.array_equal(found, decoded(data))


@pytest.mark.parametrize(("alpha", "level"), [(Alpha.BLACK, 0), (Alpha.WHITE, 255), (Alpha.DROPPED, 200)])
def test_a_transparent_level_of_sixteen_bits(alpha: Alpha, level: int) -> None:
    grey = np.full((8, 8), 200 * 257, np.uint16)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", transparency=200 * 257)
    assert (decoded(file.getvalue(), alpha) == level).all()
