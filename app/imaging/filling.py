"""Views of an image that take pixels away, mix its cells or drop its colours, for display; `worker.views.filled` is
what audits measure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.domain.models.input_spec import Colour
from app.domain.views.families import DETAIL_SHARE, FILL, ORDERS, WITHOUT, WITHOUT_DETAIL
from app.imaging.pixel_order import order_generator, pixel_ranks, within_share

Pixels = NDArray[np.uint8]

KEPT, REMOVED = ORDERS[:2]
_GREY = np.array([0.2989, 0.587, 0.114], np.float32)
"""ITU-R BT.601."""


@dataclass(frozen=True)
class FillSource:
    """What decides how such a view of a sample looks, beside its pixels.

    ``sample`` is its name and ``seed`` the protocol's; ``values`` (h, w) in [0, 1] is its clean map; ``colour`` stands
    where pixels are gone, whatever the measure fills with.
    """

    sample: str
    seed: int
    values: NDArray[np.float32]
    colour: Colour


def as_filled(pixels: Pixels, view: str, source: FillSource) -> Pixels:
    """(H, W, 3) as the model saw it under ``kept@SHARE``, ``removed@SHARE``, ``fill``, ``without_arrangement``,
    ``without_colour`` or, by Pillow's Gaussian, ``without_detail``; any other view leaves it as it is."""
    order, _, share = view.partition("@")
    if order in {KEPT, REMOVED}:
        return _part(pixels, source, float(share), kept=order == KEPT)
    if view == FILL:
        return np.full_like(pixels, source.colour)
    if view == WITHOUT[0]:
        return _mixed(pixels, source)
    if view == WITHOUT[1]:
        return np.repeat((pixels @ _GREY)[:, :, None], 3, axis=2).astype(np.uint8)
    if view == WITHOUT_DETAIL:
        blur = ImageFilter.GaussianBlur(min(pixels.shape[:2]) * DETAIL_SHARE)
        return np.asarray(Image.fromarray(pixels).filter(blur))
    return pixels


def _part(pixels: Pixels, source: FillSource, share: float, *, kept: bool) -> Pixels:
    """The pixels that are the first ``share`` of all in the map's order, or all others."""
    native = Image.fromarray((source.values * 255).astype(np.uint8))
    levels = np.asarray(native.resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))
    first = within_share(pixel_ranks(levels, order_generator(source.seed, source.sample, "salience")), share)
    shown: Pixels = np.where((first == kept)[:, :, None], pixels, np.array(source.colour, np.uint8))
    return shown


def _mixed(pixels: Pixels, source: FillSource) -> Pixels:
    """The map's cells change places at random; what is left at the edge stays."""
    rows, columns = source.values.shape
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    order = order_generator(source.seed, source.sample, "arrangement").permutation(rows * columns)
    inner = pixels[: rows * height, : columns * width]
    cells = inner.reshape(rows, height, columns, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)[order]
    mixed = pixels.copy()
    mixed[: rows * height, : columns * width] = (
        cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(inner.shape)
    )
    return mixed
