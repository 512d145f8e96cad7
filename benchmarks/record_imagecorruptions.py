"""Records what the package imagecorruptions makes of a photograph, for `benchmarks.deformations` to hold ours against:

    pip install --no-deps --target FOLDER imagecorruptions==1.1.2
    python -m benchmarks.record_imagecorruptions FOLDER

The package needs older NumPy, SciPy, scikit-image and setuptools than ours: its one module is loaded with what it
misses of them, and draws from our streams.
"""

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.ndimage
import skimage.filters
from PIL import Image

from app.domain.views.deformations import MOST_SEVERE, Kind
from benchmarks.deformations import stream_of
from benchmarks.recorded_corruptions import (
    BY_PACKAGE,
    FROSTED,
    FROSTED_SIZES,
    RECORDED,
    image_of_size,
    recorded_image,
)
from worker.functional.levels import Pixels


class _Draws:
    """NumPy's old functions of random numbers, from one of our streams."""

    def __init__(self, stream: np.random.Generator) -> None:
        self.uniform = stream.uniform
        self.randint = stream.integers
        self._stream = stream

    def normal(self, size: Any, loc: float, scale: float) -> Any:
        return self._stream.normal(loc, scale, size)


class _OldNumpy:
    """NumPy with what it had."""

    float_ = np.float64
    random: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _package(folder: Path, numpy: _OldNumpy) -> Any:
    resources = ModuleType("pkg_resources")
    vars(resources)["resource_filename"] = lambda _, name: str(folder / "imagecorruptions" / name)
    interpolation = ModuleType("scipy.ndimage.interpolation")
    vars(interpolation)["map_coordinates"] = scipy.ndimage.map_coordinates
    sys.modules |= {"pkg_resources": resources, "scipy.ndimage.interpolation": interpolation}
    spec = importlib.util.spec_from_file_location("corruptions", folder / "imagecorruptions" / "corruptions.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder)
    package: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    package.np, package.gaussian = numpy, _gaussian
    return package


def _gaussian(values: Any, sigma: float, *, multichannel: bool = False) -> Any:
    return skimage.filters.gaussian(values, sigma=sigma, channel_axis=-1 if multichannel else None)


@dataclass(frozen=True)
class _Maker:
    package: Any
    numpy: _OldNumpy

    def made(self, kind: Kind, image: Pixels) -> Any:
        """(5, H, W, 3) uint8, by severity."""
        return np.stack([self._one(kind, image, severity) for severity in range(1, MOST_SEVERE + 1)])

    def _one(self, kind: Kind, image: Pixels, severity: int) -> Any:
        self.numpy.random = _Draws(stream_of(severity, 0))
        return np.uint8(getattr(self.package, kind)(Image.fromarray(image), severity))


def main() -> None:
    numpy = _OldNumpy()
    maker = _Maker(_package(Path(sys.argv[1]), numpy), numpy)
    made: dict[str, Any] = {kind: maker.made(kind, recorded_image()) for kind in BY_PACKAGE}
    made[FROSTED] = np.array([
        hashlib.sha256(maker.made("frost", image_of_size(size)).tobytes()).hexdigest() for size in FROSTED_SIZES
    ])  # fmt: skip
    np.savez_compressed(RECORDED, **made)


if __name__ == "__main__":
    main()
