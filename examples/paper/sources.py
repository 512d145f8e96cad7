"""Four ways to make the middle of a face anew: the sources of the synthetic class.

They stand in for the paper's generators. Each changes nothing outside a region that we drew, so that nothing but the
region tells a made face from a real one; the region is therefore also the salience that guides a network. ``faces`` are
(N, 25, 25) float64 in [0, 1], all of one part of the data set.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Floats = NDArray[np.float64]
Remake = Callable[[Floats, np.random.Generator], Floats]

SIDE = 25
COMPONENTS = 12
PATCH = 5
TRACE = 0.3


def _ellipse(row: float, column: float, half_height: float, half_width: float) -> Floats:
    """1 inside, 0 outside, over a soft edge of about two pixels: (25, 25)."""
    down, right = np.indices((SIDE, SIDE), dtype=np.float64)
    distance = np.hypot((down - row) / half_height, (right - column) / half_width)
    return np.clip((1.15 - distance) / 0.3, 0, 1)


WHOLE = _ellipse(12.5, 12, 9, 7)
EYES = _ellipse(8.5, 12, 4, 8)
MOUTH = _ellipse(17, 12, 5, 6)
REAL_SALIENCE = np.maximum(0.4 * WHOLE, np.maximum(EYES, MOUTH))
"""Where a real face is salient, by our drawing: eyes and mouth first."""


def eigenfaces(faces: Floats, _: np.random.Generator) -> Floats:
    """What the first twelve principal components keep of each."""
    flat = faces.reshape(len(faces), -1)
    centred = flat - flat.mean(0)
    kept = np.linalg.svd(centred, full_matrices=False).Vh[:COMPONENTS]
    made: Floats = (flat.mean(0) + centred @ kept.T @ kept).reshape(faces.shape)
    return made


def quilting(faces: Floats, generator: np.random.Generator) -> Floats:
    """Every 5 x 5 patch from the same place of another face, drawn by lot and brought to its brightness."""
    made = np.empty_like(faces)
    for place in _patches():
        chosen = (np.arange(len(faces)) + generator.integers(1, len(faces), len(faces))) % len(faces)
        patches = faces[chosen][place]
        made[place] = patches - patches.mean((1, 2), keepdims=True) + faces[place].mean((1, 2), keepdims=True)
    return made


def coding(faces: Floats, _: np.random.Generator) -> Floats:
    """Every 5 x 5 patch as the three lowest of its cosine coefficients, as a coder with few bits leaves it."""
    made = np.empty_like(faces)
    lowest = np.add.outer(np.arange(PATCH), np.arange(PATCH)) < 2
    for place in _patches():
        made[place] = idctn(dctn(faces[place], axes=(1, 2), norm="ortho") * lowest, axes=(1, 2), norm="ortho")
    return made


def morph(faces: Floats, generator: np.random.Generator) -> Floats:
    """The mean with another face, drawn by lot."""
    chosen = (np.arange(len(faces)) + generator.integers(1, len(faces), len(faces))) % len(faces)
    made: Floats = (faces + faces[chosen]) / 2
    return made


def _patches() -> list[tuple[slice, slice, slice]]:
    starts = range(0, SIDE, PATCH)
    return [
        (slice(None), slice(row, row + PATCH), slice(column, column + PATCH)) for row in starts for column in starts
    ]


SOURCES: dict[str, tuple[Remake, Floats]] = {
    "eigenfaces": (eigenfaces, WHOLE),
    "quilting": (quilting, WHOLE),
    "coding": (coding, EYES),
    "morph": (morph, MOUTH),
}
"""Each source with the region that it makes anew."""


def remade(source: str, faces: Floats, generator: np.random.Generator) -> Floats:
    """Each face with the source's region made anew, in [0, 1].

    What is made gets brighter and darker by turns, as transposed convolutions leave it (Odena et al. 2016): a trace
    that generators share, and by which networks that know some of them recognise others.
    """
    make, region = SOURCES[source]
    trace = np.where(np.indices(faces.shape[1:]).sum(0) % 2, 1 + TRACE, 1 - TRACE)
    return np.clip(region * make(faces, generator) * trace + (1 - region) * faces, 0, 1)
