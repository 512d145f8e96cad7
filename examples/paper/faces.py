"""Scenes of real and made faces: images, their labels, and the salience that we drew for them.

Faces and backgrounds are the LFW subset of the scikit-image package: 100 faces and 100 crops without one, 25 x 25.
A scene is a background, enlarged to 224 pixels, with a face of 130 to 190 pixels somewhere in it, in either class.
People and backgrounds are split by lot: 60 to train on, 40 to audit, so that no person is in both.
"""

import io
import zipfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.data import lfw_subset

from examples.paper.sources import REAL_SALIENCE, SOURCES, Floats, remade

SIZE = 224
SMALLEST, LARGEST = 130, 190
PEOPLE, TRAINED_ON = 100, 60
SEED = 2023
REAL = "lfw"
LABELS = ("real", "synthetic")
EPOCH = (1980, 1, 1, 0, 0, 0)


class Scene(NamedTuple):
    """``pixels`` (224, 224) uint8; ``salience`` (224, 224) float in [0, 1], drawn by us; the source of the face."""

    pixels: NDArray[np.uint8]
    salience: NDArray[np.float32]
    source: str

    @property
    def label(self) -> int:
        return int(self.source != REAL)


class Album:
    """The faces of one part of the people: as they are, and remade by every source, (N, 25, 25) each."""

    def __init__(self, faces: Floats, backgrounds: Floats) -> None:
        generator = np.random.default_rng(SEED)
        self.backgrounds = backgrounds
        made = {source: remade(source, faces, generator) for source in SOURCES}
        self.faces: dict[str, Floats] = {REAL: faces, **made}

    def scene(self, source: str, person: int, generator: np.random.Generator) -> Scene:
        """One face of the source somewhere in front of some background, mirrored or not."""
        side = int(generator.integers(SMALLEST, LARGEST + 1))
        top, left = (int(place) for place in generator.integers(0, SIZE - side + 1, 2))
        behind = self.backgrounds[generator.integers(len(self.backgrounds))]
        region = REAL_SALIENCE if source == REAL else SOURCES[source][1]
        pixels, salience = _enlarged(behind, SIZE), np.zeros((SIZE, SIZE), np.float32)
        place = (slice(top, top + side), slice(left, left + side))
        pixels[place] = _enlarged(self.faces[source][person], side)
        salience[place] = _enlarged(region, side) / np.float32(255)
        if generator.random() < 0.5:
            pixels, salience = pixels[:, ::-1], salience[:, ::-1]
        return Scene(pixels, salience, source)


def split_album() -> tuple[Album, Album]:
    """The people and backgrounds to train on, and those to audit."""
    pictures = lfw_subset().astype(np.float64)
    order = np.random.default_rng(SEED).permutation(PEOPLE)
    parts = (order[:TRAINED_ON], order[TRAINED_ON:])
    first, second = (Album(pictures[:PEOPLE][part], pictures[PEOPLE:][part]) for part in parts)
    return first, second


def audited_scenes(album: Album, per_source: int) -> dict[str, Scene]:
    """``label/source/number.png`` -> scene: as many of every source, the people in turn, the same on every machine."""
    generator = np.random.default_rng(SEED + 1)
    scenes: dict[str, Scene] = {}
    for place, source in enumerate(album.faces):
        for number in range(per_source):
            person = (number + place * per_source) % len(album.faces[source])
            scene = album.scene(source, person, generator)
            scenes[f"{LABELS[scene.label]}/{source}/{number:03d}.png"] = scene
    return dict(sorted(scenes.items()))


def archive(scenes: dict[str, Scene]) -> bytes:
    """A zip of PNGs with fixed dates."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as target:
        for name, scene in scenes.items():
            png = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(scene.pixels)).save(png, "PNG")
            target.writestr(zipfile.ZipInfo(name, EPOCH), png.getvalue())
    return file.getvalue()


def _enlarged(picture: Floats, side: int) -> NDArray[np.uint8]:
    levels = np.round(picture * 255).astype(np.uint8)
    return np.array(Image.fromarray(levels).resize((side, side), Image.Resampling.BICUBIC))
