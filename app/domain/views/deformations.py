"""Deformations by name that noise reaction can look at beside salt and pepper, but for their arithmetic.

They are corruptions of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261), with its parameters at its five
severities, and what has a reference of its own. A new one is a line here and one in `worker.functional.corruptions`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from app.domain.views.families import ViewFamily, plain_title

Kind = Literal[
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "impulse_noise_per_pixel",
    "speckle_noise",
    "gaussian_blur",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "spatter",
    "brightness",
    "contrast",
    "saturate",
    "pixelate",
    "jpeg_compression",
    "occlusion",
    "turbulence",
]
REFERENCE = "Hendrycks and Dietterich 2019, arXiv 1903.12261 (ImageNet-C)"
MOST_SEVERE = 5


@dataclass(frozen=True)
class DeformationSpec:
    """A deformation's page: what its numbers are, in words, and their values from severity 1 to 5.

    ``made_by`` is the library whose function computes it; ``is_random``: it draws from the stream of its sample.
    """

    numbers: tuple[str, ...]
    by_severity: tuple[tuple[float, ...], ...]
    made_by: str
    is_random: bool = False
    reference: str = REFERENCE


def _of_one(number: str, *values: float) -> tuple[tuple[str], tuple[tuple[float], ...]]:
    return (number,), tuple((value,) for value in values)


DEFORMATIONS: dict[Kind, DeformationSpec] = {
    "gaussian_noise": DeformationSpec(
        *_of_one("standard deviation, of values in [0, 1]", 0.08, 0.12, 0.18, 0.26, 0.38), "scikit-image", True
    ),
    "shot_noise": DeformationSpec(*_of_one("photons of full brightness", 60, 25, 12, 5, 3), "NumPy", True),
    "impulse_noise": DeformationSpec(
        *_of_one("share of channel values", 0.03, 0.06, 0.09, 0.17, 0.27), "scikit-image", True
    ),
    "impulse_noise_per_pixel": DeformationSpec(
        *_of_one("share of pixels", 0.03, 0.06, 0.09, 0.17, 0.27), "scikit-image", True
    ),
    "speckle_noise": DeformationSpec(
        *_of_one("standard deviation, of each value's own size", 0.15, 0.2, 0.35, 0.45, 0.6), "scikit-image", True
    ),
    "gaussian_blur": DeformationSpec(*_of_one("sigma in pixels", 1, 2, 3, 4, 6), "scikit-image"),
    "defocus_blur": DeformationSpec(
        ("radius of a disc in pixels", "sigma of its edge"),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        "OpenCV",
    ),
    "glass_blur": DeformationSpec(
        ("sigma in pixels", "pixels that one is copied over at most", "times"),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        "scikit-image",
        True,
    ),
    "motion_blur": DeformationSpec(
        ("half its length in pixels", "sigma"), ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)), "NumPy", True
    ),
    "zoom_blur": DeformationSpec(
        ("factor that it ends below", "step from 1 on"),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        "SciPy",
    ),
    "snow": DeformationSpec(
        ("mean of a flake", "its deviation", "zoom", "least", "half a sweep's length", "its sigma", "image kept"),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        "SciPy and OpenCV",
        True,
    ),
    "frost": DeformationSpec(
        ("image kept", "frost added"), ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)), "OpenCV", True
    ),
    "fog": DeformationSpec(
        ("thickness", "decay of its roughness"), ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)), "NumPy", True
    ),
    "spatter": DeformationSpec(
        ("mean of a drop", "its deviation", "sigma", "least", "strength of water or sigma of mud", "1 for mud"),
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        "scikit-image and OpenCV",
        True,
    ),
    "brightness": DeformationSpec(*_of_one("added to HSV's value", 0.1, 0.2, 0.3, 0.4, 0.5), "scikit-image"),
    "contrast": DeformationSpec(*_of_one("what is left of it", 0.4, 0.3, 0.2, 0.1, 0.05), "NumPy"),
    "saturate": DeformationSpec(
        ("factor of HSV's saturation", "added to it"),
        ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2)),
        "scikit-image",
    ),
    "pixelate": DeformationSpec(*_of_one("share of the side that is left", 0.6, 0.5, 0.4, 0.3, 0.25), "Pillow"),
    "jpeg_compression": DeformationSpec(*_of_one("quality", 25, 18, 15, 10, 7), "Pillow"),
    "occlusion": DeformationSpec(
        *_of_one("share of the area, as a square in the image's mean colour", 0.02, 0.05, 0.1, 0.2, 0.3),
        "torchvision",
        True,
        "DeVries and Taylor 2017, arXiv 1708.04552 (Cutout); severities of our own",
    ),
    "turbulence": DeformationSpec(
        *_of_one("aperture over Fried's parameter", 1, 2, 3, 4, 5),
        "SciPy",
        True,
        "Chimitt and Chan 2020, arXiv 2004.11210 (tilts); Fried 1966, J. Opt. Soc. Am. 56, 1372 (blur)",
    ),
}


def _title(view: str) -> str:
    """``shot_noise@3`` -> ``shot noise, severity 3``."""
    kind, _, severity = view.partition("@")
    return f"{plain_title(kind)}, severity {severity}"


FAMILIES = tuple(ViewFamily(kind, parameter="SEVERITY", largest=MOST_SEVERE, title=_title) for kind in get_args(Kind))
