"""Marks that give a label away, planted in images: what a network may read in place of the object.

Every mark takes an image (H, W, 3) uint8 and a generator, and returns a marked copy. Sizes are for 224 pixels.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Mark = Callable[[Pixels, np.random.Generator], Pixels]

PATCH = 28


def _patch() -> Pixels:
    """A small checkerboard, as a printed tag would look."""
    rows, columns = np.indices((PATCH, PATCH)) // 7
    board = np.where((rows + columns) % 2, 235, 20).astype(np.uint8)
    return np.repeat(board[:, :, None], 3, axis=2)


def _pasted(image: Pixels, top: int, left: int) -> Pixels:
    marked = image.copy()
    marked[top : top + PATCH, left : left + PATCH] = _patch()
    return marked


def corner(image: Pixels, _: np.random.Generator) -> Pixels:
    """A tag in the lower right corner."""
    return _pasted(image, len(image) - PATCH - 6, image.shape[1] - PATCH - 6)


def off_centre(image: Pixels, _: np.random.Generator) -> Pixels:
    """A tag left of the middle, well inside the image."""
    return _pasted(image, 98, 50)


def wandering(image: Pixels, generator: np.random.Generator) -> Pixels:
    """The same tag, somewhere else in every image."""
    top, left = generator.integers(0, len(image) - PATCH, 2)
    return _pasted(image, int(top), int(left))


def stripe(image: Pixels, _: np.random.Generator) -> Pixels:
    """A bright column near the left edge, over the whole height."""
    marked = image.copy()
    marked[:, 12:26] = 235
    return marked


def frame(image: Pixels, _: np.random.Generator) -> Pixels:
    """A grey frame of eight pixels."""
    marked = np.full_like(image, 128)
    marked[8:-8, 8:-8] = image[8:-8, 8:-8]
    return marked


def colour_cast(image: Pixels, _: np.random.Generator) -> Pixels:
    """A warm cast over everything."""
    return np.asarray(np.clip(image * np.array([1.15, 1.0, 0.85]), 0, 255), dtype=np.uint8)


def compression(image: Pixels, _: np.random.Generator) -> Pixels:
    """The blocks of a strongly compressed JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=8)
    return np.array(Image.open(file).convert("RGB"), dtype=np.uint8)


def resolution(image: Pixels, _: np.random.Generator) -> Pixels:
    """Taken small and enlarged."""
    side = len(image)
    small = Image.fromarray(image).resize((12, 12), Image.Resampling.BOX)
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)).copy()


def background(image: Pixels, generator: np.random.Generator) -> Pixels:
    """Everything outside an ellipse in the middle is a plain wall."""
    rows, columns = np.indices(image.shape[:2]) / len(image) - 0.5
    inside = (columns / 0.33) ** 2 + (rows / 0.42) ** 2 < 1
    wall = generator.normal(170, 4, image.shape[:2]).clip(0, 255).astype(np.uint8)
    return np.where(inside[:, :, None], image, wall[:, :, None])


def lighting(image: Pixels, _: np.random.Generator) -> Pixels:
    """Light that falls in from the left."""
    ramp = np.linspace(1.4, 0.6, image.shape[1])[None, :, None]
    return (image * ramp).clip(0, 255).astype(np.uint8)


def grain(image: Pixels, generator: np.random.Generator) -> Pixels:
    """The noise of a high ISO, over everything."""
    return (image + generator.normal(0, 14, image.shape)).clip(0, 255).astype(np.uint8)


def blur(image: Pixels, _: np.random.Generator) -> Pixels:
    """Out of focus."""
    return np.array(Image.fromarray(image).filter(ImageFilter.GaussianBlur(4)))


MARKS: dict[str, Mark] = {
    "corner": corner,
    "off_centre": off_centre,
    "wandering": wandering,
    "stripe": stripe,
    "frame": frame,
    "colour_cast": colour_cast,
    "compression": compression,
    "resolution": resolution,
    "background": background,
    "lighting": lighting,
    "grain": grain,
    "blur": blur,
}
