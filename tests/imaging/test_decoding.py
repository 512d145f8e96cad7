"""Which pixels come out of each kind of image, against arrays computed by hand."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from app.domain.models.input_spec import Alpha, PixelReading, SixteenBit
from app.imaging.decoding import decode, decode_rgb
from app.settings import Settings

Pixels = NDArray[np.int64]

SCENE = np.random.default_rng(0).integers(0, 256, (12, 20, 3))
TRANSPOSED = {
    1: lambda scene: scene,
    2: lambda scene: scene[:, ::-1],
    3: lambda scene: scene[::-1, ::-1],
    4: lambda scene: scene[::-1],
    5: lambda scene: scene.swapaxes(0, 1),
    6: lambda scene: np.rot90(scene, 1),
    7: lambda scene: np.rot90(scene, 2).swapaxes(0, 1),
    8: lambda scene: np.rot90(scene, -1),
}
"""How the scene lies in a file that says this orientation."""


def decoded(data: bytes) -> Pixels:
    return np.asarray(decode_rgb(data, Settings())).astype(np.int64)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(pixels: Pixels, mode: str | None = None) -> Image.Image:
    image = Image.fromarray(pixels.astype(np.uint8))
    assert mode is None or image.mode == mode
    return image


def png16(pixels: Pixels, colour_type: int) -> bytes:
    """(h, w, channels), each value two bytes."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    header = struct.pack(">2I5B", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def over_black(pixels: Pixels, alpha: Pixels) -> NDArray[np.float64]:
    return np.asarray(pixels * alpha[..., None] / 255)


@pytest.mark.parametrize("orientation", TRANSPOSED)
def test_every_orientation_shows_the_same_scene(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = TRANSPOSED[orientation](SCENE)
    data = saved(picture(lying, "RGB"), exif=exif)
    assert (decoded(data) == SCENE).all()
    for reading in (PixelReading(alpha=Alpha.DROPPED), PixelReading(sixteen_bit=SixteenBit.PILLOW)):
        assert (np.asarray(decode_rgb(data, Settings(), reading=reading)) == SCENE).all()


class TestSixteenBits:
    """Divided by 257, rounded down; 65535 is 255 and nothing is cut off."""

    @pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3)])
    def test_every_value(self, colour_type: int, channels: int) -> None:
        values = np.arange(65_536).reshape(256, 256, 1)
        shifted = np.concatenate([(values + 21_845 * n) % 65_536 for n in range(channels)], -1)
        found = decoded(png16(shifted, colour_type))
        assert (found == np.broadcast_to(shifted // 257, found.shape)).all()

    def test_the_measured_range(self) -> None:
        ramp = np.linspace(7974, 56_547, 16 * 16).astype(np.int64).reshape(16, 16, 1)
        found = decoded(png16(ramp, 0))
        assert (found.min(), found.max()) == (31, 220)

    @pytest.mark.parametrize(("colour_type", "channels"), [(4, 2), (6, 4)])
    def test_with_alpha(self, colour_type: int, channels: int) -> None:
        values = np.random.default_rng(1).integers(0, 65_536, (16, 16, channels))
        eight = values // 257
        expected = over_black(np.broadcast_to(eight[..., :-1], (16, 16, 3)), eight[..., -1])
        assert np.abs(decoded(png16(values, colour_type)) - expected).max() <= 1

    @pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3)])
    @pytest.mark.parametrize("orientation", [1, 6])
    def test_a_transparent_colour_is_black(self, colour_type: int, channels: int, orientation: int) -> None:
        """Only where both bytes of every channel are its own."""
        values = 40_000 + np.random.default_rng(2).integers(0, 3, (16, 16, channels)) * [1, 256, 257][:channels]
        colour = values[3, 4]
        expected = np.broadcast_to(values // 257, (16, 16, 3)).copy()
        expected[(values == colour).all(-1)] = 0
        exif = Image.Exif()
        exif[0x0112] = orientation
        told = chunk(b"tRNS", colour.astype(">u2").tobytes()) + chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        data = png16(TRANSPOSED[orientation](values), colour_type)
        found = decoded(data[:33] + told + data[33:])
        assert (found == expected).all()
        assert 0 < (found == 0).all(-1).sum() < 256

    def test_eight_bits_written_with_sixteen(self) -> None:
        assert (decoded(png16(SCENE * 257, 2)) == SCENE).all()

    def test_orientation_still_counts(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        data = png16(TRANSPOSED[6](SCENE) * 257, 2)
        assert (decoded(data[:33] + chunk(b"eXIf", block) + data[33:]) == SCENE).all()


class TestModes:
    def test_one_bit(self) -> None:
        bits = SCENE[..., 0] > 127
        found = decoded(saved(Image.fromarray(bits)))
        assert (found == bits[..., None] * 255).all()

    def test_grey(self) -> None:
        assert (decoded(saved(picture(SCENE[..., 0], "L"))) == SCENE[..., :1]).all()

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_a_transparent_grey_is_black(self, bits: int) -> None:
        levels = 2**bits
        values = SCENE[:, :8, 0] % levels
        grey = int(values[0, 0]) or 1
        rows = np.unpackbits(values.astype(np.uint8)[..., None], -1)[..., -bits:].reshape(len(values), -1)
        lines = b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)
        header = struct.pack(">2I5B", 8, len(values), bits, 0, 0, 0, 0)
        parts = ((b"IHDR", header), (b"tRNS", struct.pack(">H", grey)), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
        found = decoded(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts))
        expected = np.where(values == grey, 0, values * (255 // (levels - 1)))
        assert (found == expected[..., None]).all()

    @pytest.mark.parametrize("mode", ["LA", "RGBA"])
    def test_alpha_over_black(self, mode: str) -> None:
        grey, alpha = SCENE[..., :1], SCENE[..., 1]
        colours = grey if mode == "LA" else SCENE
        data = saved(picture(np.concatenate([colours, alpha[..., None]], -1), mode))
        assert np.abs(decoded(data) - over_black(np.broadcast_to(colours, SCENE.shape), alpha)).max() <= 1

    def test_palette(self) -> None:
        image = Image.fromarray((SCENE[..., 0] % 4).astype(np.uint8)).convert("P")
        colours = np.array([[255, 0, 0], [0, 200, 0], [0, 0, 150], [9, 8, 7]])
        image.putpalette(colours.astype(np.uint8).tobytes())
        expected = colours[SCENE[..., 0] % 4]
        assert (decoded(saved(image)) == expected).all()
        expected[SCENE[..., 0] % 4 == 2] = 0
        assert (decoded(saved(image, transparency=2)) == expected).all()

    def test_cmyk(self) -> None:
        """Red, green and blue are what cyan, magenta, yellow and black leave of 255."""
        inks = np.array([10, 60, 120, 30])
        data = saved(Image.new("CMYK", (16, 16), tuple(inks)), "JPEG", quality=100, subsampling=0)
        expected = (255 - inks[:3]) * (255 - inks[3]) / 255
        assert np.abs(decoded(data) - expected).max() <= 2


def test_a_large_jpeg_is_shown_smaller() -> None:
    """No side falls below what is shown, and what is shown is the same scene."""
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)
    scene = np.stack([np.broadcast_to(ramp, (1200, 1600))] * 3, -1)
    data = saved(Image.fromarray(scene), "JPEG", quality=95)
    whole, small = decode_rgb(data, Settings()), decode_rgb(data, Settings(), shown_at=224)
    assert (whole.size, small.size) == ((1600, 1200), (400, 300))
    drawn = [np.asarray(image.resize((224, 224))).astype(np.int64) for image in (whole, small)]
    assert np.abs(drawn[0] - drawn[1]).max() <= 3


def test_heic_of_a_phone() -> None:
    """Red grows by 3 from left to right, green by 5 from top to bottom; made by libheif's x265."""
    data = (Path(__file__).parent / "photograph.heic").read_bytes()
    decoded = decode(data, Settings())
    down, right = np.indices((40, 64))
    expected = np.stack([right * 3, down * 5, np.full((40, 64), 80)], -1)
    assert (decoded.image.size, decoded.is_first_of_several) == ((64, 40), False)
    assert np.abs(np.asarray(decoded.image).astype(int) - expected).max() <= 8


def test_sixteen_bit_greys_of_every_kind_are_divided_alike() -> None:
    values = np.random.default_rng(0).integers(0, 65_536, (24, 24), dtype=np.uint16)
    for kind in ("PNG", "TIFF", "PPM", "JPEG2000"):
        file = io.BytesIO()
        Image.fromarray(values).save(file, kind)
        found = np.asarray(decode(file.getvalue(), Settings()).image)[..., 0]
        assert np.array_equal(found, values // 257), kind


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"rowsperstrip": 5}])
def test_sixteen_bit_colours_of_tiff(options: dict[str, Any]) -> None:
    for channels in (3, 4):
        values = np.random.default_rng(1).integers(0, 65_536, (20, 24, channels), dtype=np.uint16)
        values[..., 3:] = 65_535
        file = io.BytesIO()
        tifffile.imwrite(file, values, photometric="rgb", extrasamples=["unassalpha"] * (channels - 3), **options)
        assert np.array_equal(np.asarray(decode_rgb(file.getvalue(), Settings())), values[..., :3] // 257)
