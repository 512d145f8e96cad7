"""From an encoded picture to what models see of it, in this process or by another."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from app.domain.models.input_spec import InputSpec, PixelReading
from app.imaging.decoding import decode_rgb
from app.imaging.framing import prepare
from app.settings import Settings

Framed = list[NDArray[np.uint8]]
"""(H, W, 3) of each spec."""
Decoder = Callable[[bytes, Sequence[InputSpec]], Framed]
"""Is asked for one picture at a time. Raises InputFailure and MemoryError."""


def decode_here(data: bytes, specs: Sequence[InputSpec], limits: Settings) -> Framed:
    """As a `Decoder` does it; the picture is decoded once for each way to read it."""
    return framed({one: decode_rgb(data, limits, reading=one) for one in {spec.reading for spec in specs}}, specs)


def framed(images: Mapping[PixelReading, Image], specs: Sequence[InputSpec]) -> Framed:
    """``images`` are one picture in mode RGB, read in every way that ``specs`` ask for."""
    return [prepare(images[spec.reading], spec) for spec in specs]
