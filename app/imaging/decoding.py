"""Encoded images to 8-bit RGB, whatever arrives: kinds by content, sizes before pixels, of several frames the first."""

from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import NamedTuple

import pi_heif
from PIL import AvifImagePlugin, Image, ImageFile, ImageOps

from app.domain.models.input_spec import Alpha, Colour, PixelReading, SixteenBit
from app.errors import InputFailure
from app.imaging.depths import divided, narrow_grey, spread_transparent
from app.imaging.kinds import kind_of, webp_size
from app.settings import Settings

# Our own limits are tested before a pixel is decoded; Pillow's warning would come on top of them.
Image.MAX_IMAGE_PIXELS = None

# Plug-ins are imported now: in the sandbox of a child no file can be opened any more.
for _plugin in ("Jpeg2KImagePlugin", "TiffImagePlugin", "WebPImagePlugin"):
    import_module(f"PIL.{_plugin}")
pi_heif.register_heif_opener(thumbnails=False)
pi_heif.options.DECODE_THREADS = 1
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF", "HEIF")
_PLAIN = frozenset({"PNG", "JPEG", "WEBP", "BMP"})
_MODES_8_BIT = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB"})
_MODES_16_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_MODES = _MODES_8_BIT | _MODES_16_BIT
"""In which it is known what is black and what is white."""
_AS_SEEN = PixelReading()
_BEHIND = {Alpha.BLACK: (0, 0, 0), Alpha.WHITE: (255, 255, 255)}
_LFS = b"version https://git-lfs"


class Decoded(NamedTuple):
    """The picture in mode RGB; whether it is the first of several frames."""

    image: Image.Image
    is_first_of_several: bool


def decode_rgb(
    data: bytes, limits: Settings, *, reading: PixelReading = _AS_SEEN, shown_at: int | None = None
) -> Image.Image:
    """The picture as it should be seen: mode RGB, EXIF orientation applied; by default alpha on black, 16 bits divided
    by 257.

    For display, ``shown_at`` lets a JPEG come out smaller, with no side below that, which spares time and memory.
    Raises InputFailure: ``sample-unsupported-type``, ``sample-corrupt``, ``sample-too-many-pixels`` or
    ``sample-bad-dimensions``; MemoryError says nothing about the image.
    """
    return decode(data, limits, reading=reading, shown_at=shown_at).image


def is_plain(data: bytes) -> bool:
    """Whether it is of the kinds whose decoders are small and old enough for any process."""
    return kind_of(data) in _PLAIN


def count_pixels(data: bytes) -> int | None:
    """What the header says; None of kinds of which only their large decoders could tell, and of what has no header."""
    if kind_of(data) == "WEBP":
        size = webp_size(data)
        return None if size is None else size[0] * size[1]
    if not is_plain(data):
        return None
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            return image.width * image.height
    except Exception:  # noqa: BLE001 - whoever decodes it says what is wrong
        return None


def decode(data: bytes, limits: Settings, *, reading: PixelReading = _AS_SEEN, shown_at: int | None = None) -> Decoded:
    """As ``decode_rgb``, and what else is known of it."""
    if not data:
        raise InputFailure("sample-corrupt", "The file is empty.")
    kind = kind_of(data)
    if kind is None:
        raise InputFailure("sample-unsupported-type", _what_it_is(data))
    try:
        if kind == "WEBP":
            _check_canvas(data, limits)
        opened = open_picture(data, limits)
        several = kind != "JPEG" and getattr(opened, "n_frames", 1) > 1
        if shown_at is not None:
            opened.draft("RGB", (shown_at, shown_at))
        behind = _BEHIND.get(reading.alpha)
        is_scaled = reading.sixteen_bit is SixteenBit.SCALED
        image = divided(opened, data, behind) if is_scaled else opened
        image.load()
        _set_upright(image)
        narrow = narrow_grey(image, behind) if is_scaled else None
        return Decoded(_to_rgb(image, behind) if narrow is None else narrow, several)
    except (InputFailure, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on bytes made to confuse them
        raise InputFailure("sample-corrupt", "The image cannot be decoded.") from error


def open_picture(data: bytes, limits: Settings) -> ImageFile.ImageFile:
    """Its header alone is read. Raises InputFailure for sizes and kinds of pixels, and whatever Pillow raises."""
    # A phone's JPEG may carry a second, smaller picture; its first is the photograph.
    image = Image.open(BytesIO(data), formats=FORMATS)
    _check_size(*image.size, limits)
    _check_mode(image)
    if image.format == "PNG":
        # Pillow checks a PNG's checksums only here, and the image cannot be used afterwards.
        image.verify()
        image = Image.open(BytesIO(data), formats=FORMATS)
        spread_transparent(image)
    return image


def _what_it_is(data: bytes) -> str:
    if data.startswith(_LFS):
        return "The file is a pointer of Git LFS, and not the image: run git lfs pull before packing."
    return "The content is no image of a kind that is read (docs/datasets.md lists them)."


def _check_mode(image: ImageFile.ImageFile) -> None:
    """Greys of 32 bits are those of a PGM, or 16-bit ones of a PNG; of a TIFF nobody says what is white."""
    if image.mode in _MODES or (image.mode == "I" and image.format in {"PNG", "PPM"}):
        return
    detail = f"Its pixels are of the kind {image.mode}, which does not say what is white: write 8 or 16 bits."
    raise InputFailure("sample-unsupported-type", detail)


def _check_canvas(data: bytes, limits: Settings) -> None:
    """Pillow reserves eight bytes for each pixel of a WebP before it says how many there are."""
    size = webp_size(data)
    if size is None:
        raise InputFailure("sample-corrupt", "The header of the WebP image is broken.")
    _check_size(*size, limits)


def _check_size(width: int, height: int, limits: Settings) -> None:
    if width * height > limits.max_pixels:
        raise InputFailure("sample-too-many-pixels", f"{width} x {height} pixels; the limit is {limits.max_pixels}.")
    if min(width, height) < 1:
        raise InputFailure("sample-corrupt", "The image has no pixels.")
    if min(width, height) < limits.min_side or max(width, height) > limits.max_side:
        allowed = f"sides of {limits.min_side} to {limits.max_side} pixels"
        raise InputFailure("sample-bad-dimensions", f"{width} x {height} pixels; allowed are {allowed}.")


def _set_upright(image: Image.Image) -> None:
    """In place."""
    with suppress(Exception):  # broken EXIF is no reason to refuse the pixels
        ImageOps.exif_transpose(image, in_place=True)


def _to_rgb(image: Image.Image, behind: Colour | None) -> Image.Image:
    """``behind`` is the colour that shows through; None: what is transparent keeps its own."""
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        visible = image if image.mode == "RGBA" else image.convert("RGBA")
        if behind is None:
            return visible.convert("RGB")
        return Image.alpha_composite(Image.new("RGBA", visible.size, (*behind, 255)), visible).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
