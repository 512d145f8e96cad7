"""Where efficientnet_pytorch, which pads for the size that its network is named for, computes what timm's does.

Both pad so that a convolution of stride s makes ceil(size / s) cells. At every layer the library reckons with the size
of the network's own images, timm with the size that arrives. With strides of 2 the amount depends on whether that size
is even, and on nothing else: where the two sizes agree in this at every stage, the networks are one.
"""

import re
from math import ceil

from app.domain.models.input_size import InputSize, size_of
from app.domain.refusals.networks import STATIC_PADDING
from worker.weights.spellings import STATICALLY_PADDED

STAGES = 5
"""Convolutions of stride 2, one after the other."""
_SIZES = {"b0": 224, "b1": 240, "b2": 260, "b3": 300, "b4": 380, "b5": 456, "b6": 528, "b7": 600, "b8": 672, "l2": 800}


def check_padding(library: str | None, architecture: str, input_size: InputSize) -> None:
    """Raises InputFailure ``model-architecture-mismatch`` where the file's library would pad otherwise than timm's."""
    if library != STATICALLY_PADDED:
        return
    name = re.sub(r".*_", "", architecture)
    own = _SIZES[name]
    sides = size_of(input_size)
    if any(_parities(own) != _parities(side) for side in sides):
        raise STATIC_PADDING.failure(name=f"efficientnet-{name}", own=own, size=sides, architecture=architecture)


def _parities(size: int) -> list[bool]:
    """Of what arrives at every stage, whether it is odd."""
    found = []
    for _ in range(STAGES):
        found.append(size % 2 == 1)
        size = ceil(size / 2)
    return found
