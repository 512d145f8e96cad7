"""Writes the demo's data set: 100 faces and 100 non-faces from the LFW subset of the scikit-image wheel.

    python examples/faces/prepare.py faces.zip

Layout: ``label/source/number.png``. LFW has no sources, so the brightness of the picture serves as one: ``dark`` and
``bright`` are the two halves of the data set by mean grey level.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.data import lfw_subset

LABELS = ("face", "non_face")
SIDE = 64
EPOCH = (1980, 1, 1, 0, 0, 0)


def named_images() -> dict[str, Image.Image]:
    """Entry name -> 64 x 64 grey picture, in the order of the names."""
    pictures = np.round(lfw_subset() * 255).astype(np.uint8)
    brightness = pictures.reshape(len(pictures), -1).mean(1)
    bright = brightness > np.median(brightness)
    named = {
        f"{LABELS[number // 100]}/{'bright' if bright[number] else 'dark'}/{number % 100:03d}.png": _enlarged(picture)
        for number, picture in enumerate(pictures)
    }
    return dict(sorted(named.items()))


def build_archive() -> bytes:
    """The zip file: fixed dates and order, so that every machine makes the same bytes from the same wheel."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for name, image in named_images().items():
            target.writestr(zipfile.ZipInfo(name, EPOCH), _png(image))
    return archive.getvalue()


def _enlarged(picture: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    content = build_archive()
    Path(sys.argv[1]).write_bytes(content)
    print(f"{sys.argv[1]}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
