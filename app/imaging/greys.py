"""One number a pixel, of images that hold a map: masks, strokes, density maps."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.models.input_spec import PixelReading
from app.domain.vocabulary import MapDoubt
from app.errors import InputFailure
from app.imaging.decoding import decode, open_picture
from app.imaging.kinds import kind_of
from app.settings import Settings

_WIDE = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})
_BLACK = PixelReading()
_SPREAD = 64
"""Of a pixel's channels, from which on it is a colour and no grey."""

Values = NDArray[np.float32]


class GreyPicture(NamedTuple):
    """``values`` (h, w) from 0; ``doubt``: why they may say something else than was meant."""

    values: Values
    doubt: MapDoubt | None = None


def decode_grey(data: bytes, limits: Settings) -> GreyPicture:
    """Greys as they are, 16 bits among them; of colours the brightest channel, on black.

    Where nothing that is drawn on a transparent layer is brighter than black, how opaque it is. Raises InputFailure as
    `app.imaging.decoding.decode` does.
    """
    of_maps = limits.model_copy(update={"min_side": 1})
    wide = _wide_grey(data, of_maps)
    if wide is not None:
        return GreyPicture(wide, _doubt(wide))
    colours = np.asarray(decode(data, of_maps, reading=_BLACK).image)
    brightest: Values = colours.max(2).astype(np.float32)
    opacity = None if brightest.any() else _opacity(data, of_maps)
    if opacity is not None:
        return GreyPicture(opacity)
    is_coloured = (brightest - colours.min(2) > _SPREAD).mean() > 0.5
    return GreyPicture(brightest, MapDoubt.COLOURS if is_coloured else _doubt(brightest))


def _doubt(values: Values) -> MapDoubt | None:
    """Most of a picture as bright as can be, and all its corners: that is paper."""
    paper = values == values.max()
    corners = paper[[0, 0, -1, -1], [0, -1, 0, -1]]
    return MapDoubt.DARK_ON_LIGHT if corners.all() and 0.5 < paper.mean() < 1 else None


def _wide_grey(data: bytes, limits: Settings) -> Values | None:
    """Of more than 8 bits; None of any other image, and of what cannot be read, which `decode` refuses."""
    opened = _opened(data, limits)
    if opened is None or opened.mode not in _WIDE:
        return None
    values: NDArray[Any] = np.asarray(opened)
    return values.clip(0, 65535).astype(np.float32)


def _opacity(data: bytes, limits: Settings) -> Values | None:
    opened = _opened(data, limits)
    if opened is None or not opened.has_transparency_data:
        return None
    return np.asarray(opened.convert("RGBA").getchannel("A")).astype(np.float32)


def _opened(data: bytes, limits: Settings) -> Image.Image | None:
    if kind_of(data) in {None, "WEBP"}:
        return None
    try:
        opened = open_picture(data, limits)
        opened.load()
    except InputFailure:
        raise
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - `decode` says what is wrong
        return None
    return opened
