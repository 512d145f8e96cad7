"""What the air does to a picture of something far away: tilts and blur.

Tilts, by which every pixel is displaced, are a Gaussian field with the correlation of Chimitt and Chan 2020
(arXiv 2004.11210), as their published simulator has it: (I0(s) + I2(s)) / I0(0) of pixels whose rays lie ``s``
apertures apart, with their integrals

    In(s) = integral over z > 0 of z^(-14/3) Jn(2 s z) J2(z)^2,

and the variance of Noll 1976 (J. Opt. Soc. Am. 66, 207), of which the simulator has twice as much. In place of its
random point spread functions stands the mean of what is left of them once tilts are taken away: the short exposure of
Fried 1966 (J. Opt. Soc. Am. 56, 1372), through the aperture. A pixel is half of what the aperture resolves; the path is
that of their example: 7 km, 0.1 m, 500 nm.
"""

from functools import lru_cache

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import map_coordinates
from scipy.special import j1, jv

from worker.functional.levels import Numbers, Pixels, Stream, Values, eight_bits

APERTURE, PATH, WAVELENGTH = 0.1, 7000.0, 500e-9
SPACING = PATH * WAVELENGTH / (2 * APERTURE**2)
"""Apertures by which the rays of neighbouring pixels lie apart."""
NOLL, FRIED = 0.448, 3.44
_FARTHEST, _POINTS, _KNOTS = 30.0, 6000, 800


def turbulence(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """``image`` (H, W, 3) uint8; ``numbers`` are the aperture over Fried's parameter. What is random is the tilts,
    whose mean is taken away: the picture as a whole stays where it is.
    """
    (ratio,) = numbers
    size = (image.shape[0], image.shape[1])
    down, right = (tilts(size, ratio, stream) for _ in range(2))
    places = np.mgrid[: size[0], : size[1]] + np.stack([down - down.mean(), right - right.mean()])
    planes = [map_coordinates(plane / 255, places, order=1, mode="nearest") for plane in np.moveaxis(image, 2, 0)]
    transfer = transfer_function(size, ratio)
    return eight_bits(np.stack([idctn(dctn(plane, norm="ortho") * transfer, norm="ortho") for plane in planes], -1))


def tilts(size: tuple[int, int], ratio: float, stream: Stream) -> Values:
    """(H, W) float64: pixels of displacement along one axis."""
    spectrum = _spectrum(*size)
    white = stream.standard_normal((2 * size[0], 2 * size[1]))
    field = np.fft.irfft2(np.fft.rfft2(white) * spectrum, white.shape)[: size[0], : size[1]]
    drawn: Values = field * deviation(ratio)
    return drawn


def deviation(ratio: float) -> float:
    """Of a tilt, in pixels: Noll's coefficient is one of 4 / pi pixels."""
    return float(np.sqrt(NOLL) * 4 / np.pi * ratio ** (5 / 6))


def correlation(apart: Values) -> Values:
    """Of tilts of rays that lie so many apertures apart (any shape), 1 at 0."""
    # Of z = t^3 the integrand has no pole; beyond the farthest it is below 1e-9.
    side = _FARTHEST ** (1 / 3) / _POINTS
    t = (np.arange(_POINTS) + 0.5) * side
    z = t**3
    weights = 3 * t**2 * z ** (-14 / 3) * jv(2, z) ** 2
    phases = np.maximum(2 * apart[..., None] * z, 1e-9)
    found: Values = (2 * j1(phases) / phases * weights).sum(-1) / weights.sum()  # J0(x) + J2(x) = 2 J1(x) / x
    return found


@lru_cache(maxsize=4)
def _spectrum(height: int, width: int) -> Values:
    """(2 H, W + 1) roots of what the correlation on a torus of twice the sides consists of."""
    down, right = (np.minimum(np.arange(2 * side), 2 * side - np.arange(2 * side)) for side in (height, width))
    apart = SPACING * np.hypot(down[:, None], right)
    knots = np.linspace(0, 1, _KNOTS) ** 2 * apart.max()
    told = np.interp(apart, knots, correlation(knots))
    roots: Values = np.sqrt(np.maximum(np.fft.rfft2(told).real, 0))
    return roots


@lru_cache(maxsize=8)
def transfer_function(size: tuple[int, int], ratio: float) -> Values:
    """(H, W) of the cosine transform's frequencies: the aperture's own, times Fried's of a short exposure.

    Nobody may write to it.
    """
    down, right = (np.arange(side) / side for side in size)  # 1 is what the aperture just resolves
    place = np.minimum(np.hypot(down[:, None], right), 1)
    aperture = 2 / np.pi * (np.arccos(place) - place * np.sqrt(1 - place**2))
    passed: Values = aperture * np.exp(-FRIED * (place * ratio) ** (5 / 3) * (1 - place ** (1 / 3)))
    return passed
