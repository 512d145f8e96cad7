"""How a picture looks: images in a grid, curves in two colours that colour-blind readers can tell apart."""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from worker.views.maps import SalienceMaps

FOLDER = Path(__file__).parent
COLOURS = {"cross_entropy": "#0072b2", "human_guided": "#d55e00"}
MARKERS = {"cross_entropy": "o", "human_guided": "s"}
INCH = 1.45
"""A cell of a grid."""
DOTS = 98

Bytes = NDArray[np.uint8]

mpl.rcParams.update({"font.size": 9, "svg.hashsalt": "salience-audit", "svg.fonttype": "path"})


def grid(rows: int, columns: int, lines: int = 1) -> tuple[Figure, NDArray[Any]]:
    """Axes without axes (rows, columns), room for a caption of so many lines under each."""
    figure = Figure(figsize=(columns * INCH, rows * (INCH + 0.08 + 0.15 * lines)), layout="constrained")
    axes: NDArray[Any] = np.asarray(figure.subplots(rows, columns, squeeze=False))
    for each in axes.flat:
        each.set_axis_off()
    return figure, axes


def show(axes: Axes, image: Bytes, caption: str = "") -> None:
    axes.imshow(image, interpolation="antialiased")
    axes.text(0.5, -0.04, caption, transform=axes.transAxes, ha="center", va="top", fontsize=8)


def show_map(axes: Axes, levels: Bytes, caption: str = "") -> None:
    """(h, w) uint8, each cell as it is."""
    axes.imshow(levels, cmap="inferno", vmin=0, vmax=255, interpolation="nearest")
    axes.text(0.5, -0.04, caption, transform=axes.transAxes, ha="center", va="top", fontsize=8)


def over(image: Bytes, levels: Bytes) -> Bytes:
    """The map (S, S) uint8 in colour over the image (S, S, 3), half and half, as the API draws it."""
    colours = colormaps["inferno"](levels)[..., :3] * 255
    return np.round(0.5 * image + 0.5 * colours).astype(np.uint8)


def native(maps: SalienceMaps, place: int) -> Bytes:
    found: Bytes = maps.native_8bit[place].numpy()
    return found


def at_input(maps: SalienceMaps, place: int) -> Bytes:
    found: Bytes = maps.at_input[place].numpy()
    return found


def save_png(figure: Figure, name: str) -> None:
    """In 256 colours, mixed where they do not suffice."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS)
    picture = Image.open(file).convert("RGB")
    palette = picture.quantize(256)
    picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(FOLDER / f"{name}.png", optimize=True)


def save_svg(figure: Figure, name: str) -> None:
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None, "Creator": None})
