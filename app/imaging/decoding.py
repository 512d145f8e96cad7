"""Encoded images to 8-bit RGB, whatever arrives: kinds by content, sizes before pixels, no frame chosen by chance."""

from contextlib import suppress
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from app.domain.vocabulary import Resize
from app.errors import InputFailure
from app.imaging.depths import divided, narrow_grey, spread_transparent
from app.imaging.kinds import kind_of, webp_size
from app.settings import Settings

# Our own limits are tested before a pixel is decoded; Pillow's warning would come on top of them.
Image.MAX_IMAGE_PIXELS = None

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


def decode_rgb(data: bytes, limits: Settings, *, shown_at: int | None = None) -> Image.Image:
    """The picture as it should be seen: mode RGB, EXIF orientation applied, alpha on black, 16 bits divided by 257.

    For display, ``shown_at`` lets a JPEG come out smaller, with no side below that, which spares time and memory.
    Raises InputFailure: ``sample-unsupported-type``, ``sample-corrupt``, ``sample-animated``,
    ``sample-too-many-pixels`` or ``sample-bad-dimensions``; MemoryError says nothing about the image.
    """
    if not data:
        raise InputFailure("sample-corrupt", "The file is empty.")
    kind = kind_of(data)
    if kind is None:
        raise InputFailure("sample-unsupported-type", "The content is no PNG, JPEG, WebP or BMP image.")
    try:
        if kind == "WEBP":
            _check_canvas(data, limits)
        opened = _open(data, limits)
        if shown_at is not None:
            opened.draft("RGB", (shown_at, shown_at))
        image = divided(opened, data)
        image.load()
        return _to_rgb(_upright(image))
    except (InputFailure, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on bytes made to confuse them
        raise InputFailure("sample-corrupt", "The image cannot be decoded.") from error


def prepare(image: Image.Image, size: int, resize: Resize) -> NDArray[np.uint8]:
    """The model's input (size, size, 3): Pillow bilinear with antialias, stretched or cropped as torchvision does."""
    if resize is Resize.STRETCH:
        return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    width, height = image.size
    short = min(width, height)
    scaled = (int(size * width / short), int(size * height / short))
    left, top = (round((side - size) / 2) for side in scaled)
    resized = image.resize(scaled, Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def _open(data: bytes, limits: Settings) -> ImageFile.ImageFile:
    image = Image.open(BytesIO(data), formats=FORMATS)
    _check_size(*image.size, limits)
    # A phone's JPEG may carry a second, smaller picture; its first is the photograph.
    if image.format in {"PNG", "WEBP"} and getattr(image, "n_frames", 1) > 1:
        raise InputFailure("sample-animated", "The image has several frames.")
    if image.format == "PNG":
        # Pillow checks a PNG's checksums only here, and the image cannot be used afterwards.
        image.verify()
        image = Image.open(BytesIO(data), formats=FORMATS)
        spread_transparent(image)
    return image


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


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # broken EXIF is no reason to refuse the pixels
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    narrow = narrow_grey(image)
    if narrow is not None:
        return narrow
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        visible = image if image.mode == "RGBA" else image.convert("RGBA")
        black = Image.new("RGBA", visible.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, visible).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
