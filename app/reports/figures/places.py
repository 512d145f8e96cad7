"""Where the maps lie: each series' mean map by predicted class."""

import io
from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from app.domain.protocol.finding_settings import FindingSettings
from app.domain.results.map_places import MapGroup
from app.reports.figures.drawing import Drawing
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.means import mean_of_defined
from app.reports.pictures import MeanImage
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number, short

NAME = "where-maps-lie"
MOST_SERIES, MOST_CLASSES = 3, 4
_COLOURS = "Blues"
_BLUE, _OPACITY = np.array([11.0, 95.0, 189.0]), 0.75
ALIGNED = 0.45
"""Contrast of a mean image over its images' own, from which on something lies at one place in all of them."""
NEAR_BORDER = 0.8
"""Of the salience that the outer ring would have if all were spread evenly."""
ALIKE = 0.5
"""Mean correlation of a map with the mean of the others, from which on maps are alike."""
_NOTE = (
    "Dark: salient in every image. At the border: the outer ring of cells has over {border:g} times the salience of "
    f"its area; near it: over {NEAR_BORDER:g} times. One place: each map correlates with the mean of the others by "
    f"over {{fixed:g}}; places alike: by over {ALIKE:g}."
)


class Place(NamedTuple):
    """What a series looks at in the images that it gives one class: a mean map (H, W) in [0, 1] of ``n`` samples.

    ``down`` and ``right`` are the maps' mean centre of mass, in sides of the image.
    """

    predicted: str
    n: int
    mean_map: NDArray[np.float64]
    down: float | None
    right: float | None
    border_ratio: float | None
    fixedness: float | None
    image: MeanImage | None = None


Places = dict[str, list[Place]]
"""By the name of the series."""


def where_maps_lie(job: ReportJob) -> list[Drawing]:
    """One figure; none where no audit has kept its maps."""
    found = {series.name: _over(job.mean_images.get(series.name, []), places_of(series)) for series in job.measured}
    shown = {name: places for name, places in list(found.items())[:MOST_SERIES] if places}
    if not shown:
        return []
    columns = max(len(places) for places in shown.values())
    return [
        Drawing(
            name=NAME,
            section=NAME,
            title="Where they look: the mean map by predicted class",
            alt=f"Mean salience maps. {_alt(shown)}.",
            draw=partial(_draw, shown, columns, job.resolved.findings),
            tables=tuple(_table(name, places) for name, places in shown.items()),
            size=(max(3.4, 1.7 * columns), 1.85 * len(shown) + 0.4),
            note=_note(shown, job.resolved.findings),
        )
    ]


def _over(images: list[MeanImage], places: list[Place]) -> list[Place]:
    """The mean images that the maps lie over."""
    known = {image.predicted: image for image in images}
    return [place._replace(image=known.get(place.predicted)) for place in places]


def _note(shown: Places, limits: FindingSettings) -> str:
    told = _NOTE.format(border=limits.border_ratio, fixed=limits.fixedness)
    images = [place.image for places in shown.values() for place in places if place.image is not None]
    if not images:
        return told
    under = f"Under them the mean of {min(image.n for image in images)} or more images of the class."
    if max(image.contrast for image in images) >= ALIGNED:
        return f"{told} {under}"
    return f"{told} {under} These images are not aligned, so that means over them say little."


def places_of(series: Series) -> list[Place]:
    """Of the classes that are predicted most often, by name; of several runs, the means over them."""
    sections = series.document.get("where_maps_lie", []) if series.document else []
    groups: dict[str, list[MapGroup]] = {}
    for section in sections:
        own = section["groups"] if section["model_id"] in series.model_ids else []
        for group in own:
            if group["group_by"] == "predicted" and group.get("mean_map"):
                groups.setdefault(group["group"], []).append(group)
    # Maps of runs that differ in size have no mean.
    alike = {name: rows for name, rows in groups.items() if len({np.shape(row["mean_map"]) for row in rows}) == 1}
    places = [_place(name, rows) for name, rows in alike.items()]
    return sorted(sorted(places, key=lambda place: -place.n)[:MOST_CLASSES], key=lambda place: place.predicted)


def _place(name: str, rows: list[MapGroup]) -> Place:
    return Place(
        predicted=name,
        n=sum(row["n"] - row["n_undefined"] for row in rows),
        mean_map=np.mean([row["mean_map"] for row in rows], axis=0),
        down=mean_of_defined(row.get("centre_down") for row in rows),
        right=mean_of_defined(row.get("centre_right") for row in rows),
        border_ratio=mean_of_defined(row.get("border_ratio") for row in rows),
        fixedness=mean_of_defined(row.get("fixedness") for row in rows),
    )


def in_words(place: Place, limits: FindingSettings) -> str:
    """Whether salience reaches the border, and is at one place in all images; what is unknown is left out."""
    ratio, fixedness = place.border_ratio, place.fixedness
    near = "near the border" if ratio is not None and ratio > NEAR_BORDER else "off the border"
    border = "at the border" if ratio is not None and ratio > limits.border_ratio else near
    alike = "places alike" if fixedness is not None and fixedness > ALIKE else "places vary"
    fixed = "one place" if fixedness is not None and fixedness > limits.fixedness else alike
    return ", ".join([*([border] if ratio is not None else []), *([fixed] if fixedness is not None else [])])


def _draw(shown: Places, columns: int, limits: FindingSettings, figure: Figure, palette: Palette) -> None:
    grid = figure.subplots(len(shown), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, (name, places) in zip(grid, shown.items(), strict=True):
        for axes, place in zip(row, places, strict=False):
            _draw_place(axes, place)
            title = f"{short(name)}: {short(place.predicted)}\n{_where(place)}\n{in_words(place, limits)}"
            axes.set_title(title, fontsize=7, color=palette.ink)


def _draw_place(axes: Axes, place: Place) -> None:
    if place.image is None:
        axes.pcolormesh(place.mean_map, cmap=_COLOURS, vmin=0, vmax=1, edgecolors="face", linewidth=0.2)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        return
    grey = Image.open(io.BytesIO(place.image.png)).convert("RGB")
    cells = Image.fromarray((255 * place.mean_map).round().astype(np.uint8)).resize(grey.size, Image.Resampling.NEAREST)
    opacity = np.asarray(cells, np.float64)[..., None] / 255 * _OPACITY
    axes.imshow(((1 - opacity) * np.asarray(grey) + opacity * _BLUE).round().astype(np.uint8), interpolation="nearest")


def _alt(shown: Places) -> str:
    told = [
        f"{name}, {place.predicted}: most salient {_where(place)}" for name, places in shown.items() for place in places
    ]
    return "; ".join(told)


def _where(place: Place) -> str:
    """The centre of mass in words: thirds of the image."""
    if place.down is None or place.right is None:
        return "nowhere"
    down, right = (min(int(3 * centre), 2) for centre in (place.down, place.right))
    return f"{('top', 'middle', 'bottom')[down]} {('left', 'centre', 'right')[right]}"


def _table(name: str, places: list[Place]) -> Table:
    rows = [
        (place.predicted, str(place.n), _where(place), number(place.border_ratio), number(place.fixedness))
        for place in places
    ]
    head = ("predicted class", "n", "centre of mass", "border", "alike")
    return Table(f"Where the maps of {name} lie", head, tuple(rows), words=(2,))
