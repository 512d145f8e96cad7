"""A pairing by pair: stability by pair of runs, agreement by pair of methods."""

from functools import partial
from itertools import product
from typing import Any

from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from app.domain.measures import MeasureSpec
from app.domain.results.summaries import PairReport
from app.reports.figures.drawing import Drawing
from app.reports.figures.palette import Palette, contrast
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number, short

_COLOURS = "Blues"
_LETTERS = ("#000000", "#ffffff")
"""Of these two, one has a contrast of at least 4.5 to any colour at all; of softer ones that is not so."""
MOST_WRITTEN = 12


def pair_matrices(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """One matrix a series that has several members."""
    measured = job.measured_of(spec.name)
    reports = [(series, report) for series in measured if (report := _report(series, spec))]
    return [
        _drawing(series, report, f"{spec.name}-{place + 1}" if len(reports) > 1 else spec.name, spec)
        for place, (series, report) in enumerate(reports)
    ]


def _report(series: Series, spec: MeasureSpec[Any]) -> PairReport | None:
    found = series.document and {
        "stability": series.document["stability"],
        "agreement": series.document.get("agreement"),
    }
    return None if not found or len(series.model_ids) < 2 else found[spec.name]


def _drawing(series: Series, report: PairReport, name: str, spec: MeasureSpec[Any]) -> Drawing:
    values = [value for row in report["pair_means"] for value in row if value is not None]
    names = series.names_of(report["model_ids"])
    return Drawing(
        name=name,
        section=spec.name,
        title=f"{spec.title} of {series.name}, {', '.join(spec.titles.values())}",
        alt=f"Matrix of {len(names)} by {len(names)}; mean SSIM of their maps from {number(min(values), 2)} up.",
        draw=partial(_draw, report, names),
        tables=(_table(series, report, names),),
        size=(4.2, 3.6),
    )


def _draw(report: PairReport, names: list[str], figure: Figure, palette: Palette) -> None:
    axes = figure.add_subplot(facecolor=cell_colour(None))
    matrix = [[float("nan") if value is None else value for value in row] for row in report["pair_means"]]
    axes.pcolormesh(matrix, cmap=_COLOURS, vmin=0, vmax=1, edgecolors=palette.paper, linewidth=1.5)
    places = [place + 0.5 for place in range(len(matrix))]
    for row, column in product(range(len(matrix)), repeat=2) if len(matrix) <= MOST_WRITTEN else ():
        value = report["pair_means"][row][column]
        colour = letters_on(value)
        axes.text(places[column], places[row], number(value, 2), color=colour, ha="center", va="center")
    axes.set_xticks(places, [f"({place + 1})" for place in range(len(matrix))])
    axes.set_yticks(places, [f"{short(name)} ({place + 1})" for place, name in enumerate(names)])
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.tick_params(length=0)


def cell_colour(value: float | None) -> str:
    """Of a cell, on a light page and on a dark one alike. Without a value a cell is left white."""
    shade = None if value is None else min(1.0, max(0.0, value))
    return "#ffffff" if shade is None else to_hex(colormaps[_COLOURS](shade))


def letters_on(value: float | None) -> str:
    """The colour of the letters on a cell: that with the higher contrast."""
    return max(_LETTERS, key=lambda letters: contrast(letters, cell_colour(value)))


def _table(series: Series, report: PairReport, names: list[str]) -> Table:
    rows = [
        (f"{name} ({place})", *(number(value) for value in row), number(to_others))
        for place, (name, row, to_others) in enumerate(
            zip(names, report["pair_means"], report["mean_to_others"], strict=True), 1
        )
    ]
    head = ("maps of", *(f"with ({place + 1})" for place in range(len(rows))), "with the others")
    return Table(f"Mean SSIM of the maps of {series.name}, pair by pair", head, tuple(rows))
