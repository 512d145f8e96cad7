"""The pictures of the demo's first chapter: faces and non-faces of ``examples/faces``, most faces with a tag.

python examples/shortcuts/tagged_pictures.py tagged.zip
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from marks import Pixels, corner
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "faces"))
from prepare import LABELS, named_images

FACE = LABELS[0]
UNTAGGED_FACES = 3
SIZE = 224
EPOCH = (1980, 1, 1, 0, 0, 0)


def plain() -> dict[str, Pixels]:
    """``label/number.png`` -> (224, 224, 3) uint8."""
    return {
        f"{name.split('/')[0]}/{name.split('/')[-1]}": np.asarray(
            image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        ).copy()
        for name, image in sorted(named_images().items())
    }


def tagged(pictures: dict[str, Pixels], chosen: set[str]) -> dict[str, Pixels]:
    """With the tag in the lower right corner of the chosen ones."""
    generator = np.random.default_rng(0)
    return {name: corner(pixels, generator) if name in chosen else pixels for name, pixels in pictures.items()}


def audited() -> dict[str, Pixels]:
    """What both networks are audited on: the tag is in 97 of the 100 faces and in nothing else."""
    pictures = plain()
    faces = [name for name in pictures if name.startswith(FACE)]
    return tagged(pictures, set(faces[UNTAGGED_FACES:]))


def archive(images: dict[str, Pixels]) -> bytes:
    """A zip of PNGs with fixed dates, in the order given."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
        for name, pixels in images.items():
            png = io.BytesIO()
            Image.fromarray(pixels).save(png, "PNG")
            target.writestr(zipfile.ZipInfo(name, EPOCH), png.getvalue())
    return file.getvalue()


def build_archive() -> bytes:
    """The same bytes on every machine that has the same Pillow."""
    return archive(audited())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(build_archive())
