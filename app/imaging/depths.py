"""PNGs and TIFFs of other depths than eight bits: which values Pillow keeps, and which of them is transparent."""

import sys
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFile

from app.domain.models.input_spec import Colour

BLACK = (0, 0, 0)
_WIDE_GREY = {"I;16", "I;16B", "I;16L", "I;16N", "I"}
# How Pillow reads 16-bit colours, which keeps their high bytes, and how it can be made to keep the low ones; N is the
# machine's own order, in which libtiff hands them on.
_LOW_BYTES = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B" if sys.byteorder == "little" else "RGBA;16L",
    "LA;16B": "RGBA",
}
_LEVELS = {"L;2": 4, "L;4": 16}
"""Greys of a PNG of two or four bits, which Pillow spreads over 0 to 255, but not the transparent one."""


def divided(image: ImageFile.ImageFile, data: bytes, behind: Colour | None = BLACK) -> Image.Image:
    """16-bit colours divided by 257: the high byte, less one where the low byte is smaller.

    ``data`` is what ``image`` was opened from; an image of another kind comes back as it is. What is transparent
    becomes ``behind``; None: it keeps its colour.
    """
    kind = _raw_mode(image)
    if kind not in _LOW_BYTES:
        return image
    again = Image.open(BytesIO(data), formats=(image.format or "",))
    again.tile = [tile._replace(args=_in_mode(tile.args, _LOW_BYTES[kind])) for tile in again.tile]
    low: Image.Image = again
    if kind == "LA;16B":
        _, grey, _, alpha = again.split()
        low = Image.merge("RGBA", (grey, grey, grey, alpha))
    too_much = ImageChops.subtract(image, low).point(lambda difference: difference > 0)
    result = ImageChops.subtract(image, too_much)
    if isinstance(colour := result.info.pop("transparency", None), tuple) and behind is not None:
        result.paste(behind, mask=_where(image, low, colour))
    return result


def spread_transparent(image: ImageFile.ImageFile) -> None:
    """Make the transparent grey one of those that Pillow makes of the image's."""
    levels, grey = _LEVELS.get(_raw_mode(image), 0), image.info.get("transparency")
    if levels and isinstance(grey, int):
        image.info["transparency"] = grey % levels * 255 // (levels - 1)


def narrow_grey(image: Image.Image, behind: Colour | None = BLACK) -> Image.Image | None:
    """16-bit grey as RGB of 8 bits, the transparent one as ``behind`` (a grey) says; None of any other image."""
    if image.mode not in _WIDE_GREY:
        return None
    wide: NDArray[Any] = np.asarray(image).clip(0, 65535)
    narrow = (wide // 257).astype(np.uint8)
    if isinstance(transparent := image.info.get("transparency"), int) and behind is not None:
        narrow[wide == transparent] = behind[0]
    return Image.fromarray(narrow).convert("RGB")


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How the pixels lie in the file; nothing where its parts differ, or Pillow reads them another way."""
    kinds = {tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args for tile in image.tile}
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if isinstance(kind, str) else ""


def _in_mode(arguments: Any, mode: str) -> Any:
    """Of a decoder: the mode stands first, or alone."""
    return (mode, *arguments[1:]) if isinstance(arguments, tuple) else mode


def _where(high: Image.Image, low: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    """A mask of the pixels that have a colour in both their bytes."""
    mask = Image.new("L", high.size, 255)
    for image, values in ((high, [value >> 8 for value in colour]), (low, [value & 255 for value in colour])):
        for channel, value in zip(image.split(), values, strict=True):
            mask = ImageChops.darker(mask, channel.point([255 * (level == value) for level in range(256)]))
    return mask
