"""What the package imagecorruptions made of a photograph (`benchmarks.record_imagecorruptions`)."""

from pathlib import Path

import numpy as np
from skimage.data import chelsea

from app.domain.views.deformations import Kind
from worker.functional.levels import Pixels

BY_PACKAGE: tuple[Kind, ...] = (
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "spatter",
)
"""Held against what imagecorruptions 1.1.2 made of one photograph (`benchmarks.record_imagecorruptions`)."""
RECORDED = Path(__file__).with_name("imagecorruptions.npz")
FROSTED = "frosted_sizes"
"""SHA-256 of its frost at all severities, by size: a photograph of frost that does not cover the image is enlarged."""
FROSTED_SIZES = ((32, 1000), (800, 32), (620, 940), (400, 540))


def recorded_image() -> Pixels:
    """(64, 48, 3) of a cat's face."""
    face: Pixels = np.ascontiguousarray(chelsea()[80:208:2, 110:206:2])
    return face


def image_of_size(size: tuple[int, int]) -> Pixels:
    """The same face, repeated."""
    return np.resize(recorded_image(), (*size, 3))
