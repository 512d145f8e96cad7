"""Curves of the deformations that a protocol lists, as salt and pepper has one: by severity, and of moves by number."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app.domain.measures import GEOMETRIC_RESILIENCE, NOISE_REACTION, MeasureSpec, view_title
from app.domain.views.deformations import MOST_SEVERE, Kind
from app.domain.views.families import plain_title, with_parameter
from app.domain.views.moves import MOVES, MoveKind
from app.domain.vocabulary import CLEAN
from app.reports.figures.curves import (
    HEAD,
    CurvePoint,
    Points,
    band_note,
    decision_cells,
    draw_curves,
    has_auroc,
    lowest,
    mean_points,
)
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number

MOST_PANELS = 5
"""In one figure: more would not fit on a page."""
_HEAD, _ROW, _WIDTH = 0.7, 1.45, 4.6
"""Inches."""


@dataclass(frozen=True)
class _Kind:
    """A deformation: its name, the words below its axis, where on that nothing changes, and how far it always goes."""

    name: str
    axis: str
    still: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class _Family:
    """Deformations of one figure: their curves in a results document, by ``place``, and the words for them."""

    name: str
    curves: Literal["deformation_curves", "move_curves"]
    place: str
    title: str
    table: str


@dataclass(frozen=True)
class _Panel:
    """What one deformation shows."""

    kind: _Kind
    points: Points


def deformation_curves(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """Of noise reaction, by severity; none where the protocol lists none."""
    settings = NOISE_REACTION.settings_in(job.resolved.measures)
    kinds = [_kind_of_noise(one.kind) for one in settings.deformations] if settings else []
    family = _Family("deformation-curves", "deformation_curves", "severity", "Deformations by severity", "Deformations")
    return _drawings(job, spec, kinds, family)


def move_curves(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """Of geometric resilience, by number; none where the protocol lists none."""
    settings = GEOMETRIC_RESILIENCE.settings_in(job.resolved.measures)
    kinds = [_kind_of_move(one.kind) for one in settings.deformations] if settings else []
    family = _Family("move-curves", "move_curves", "number", "Moves by number", "Moves")
    return _drawings(job, spec, kinds, family)


def _kind_of_noise(kind: Kind) -> _Kind:
    return _Kind(kind, f"{plain_title(kind)}, severity", end=MOST_SEVERE)


def _kind_of_move(kind: MoveKind) -> _Kind:
    unit = MOVES[kind].unit.strip()
    still = MOVES[kind].still
    return _Kind(kind, plain_title(kind) + (f" ({unit})" if unit else ""), still, end=still)


def _drawings(job: ReportJob, spec: MeasureSpec[Any], kinds: list[_Kind], family: _Family) -> list[Drawing]:
    """As many as it takes; a deformation that no series has a curve of, as in results of before there were any, is
    left out."""
    panels = [_panel(job, kind, family) for kind in kinds]
    panels = [panel for panel in panels if any(found for _, found in panel.points)]
    parts = [panels[start : start + MOST_PANELS] for start in range(0, len(panels), MOST_PANELS)]
    return [
        _drawing(job, spec, part, family, f"{family.name}-{place}" if len(parts) > 1 else family.name)
        for place, part in enumerate(parts, start=1)
    ]


def _panel(job: ReportJob, kind: _Kind, family: _Family) -> _Panel:
    def points(series: Series) -> list[CurvePoint]:
        curves = [] if series.document is None else series.document.get(family.curves, [])
        own = [curve for curve in curves if curve["kind"] == kind.name]
        return mean_points(series, own, family.place, kind.still)

    return _Panel(kind, [(series.name, points(series)) for series in job.all_series])


def _drawing(job: ReportJob, spec: MeasureSpec[Any], panels: list[_Panel], family: _Family, name: str) -> Drawing:
    everything = [row for panel in panels for row in panel.points]
    decided, controlled = has_auroc(everything), any(one["control"] is not None for _, row in everything for one in row)
    note = band_note(job) + (" Hollow: control, the same without carrying the map back." if controlled else "")
    note += " Dotted: chance. AUROC where nothing changes is that of the clean images." if decided else ""
    return Drawing(
        name=name,
        section=spec.name,
        title=f"{family.title}: the map{' and the decision' if decided else ''}",
        alt=f"{'SSIM of the maps and AUROC' if decided else 'SSIM of the maps'}. {_alt(panels)}",
        draw=partial(_draw, panels),
        tables=tuple(_tables(job, panels, family)),
        size=with_legend((_WIDTH, _HEAD + _ROW * len(panels)), [series.name for series in job.all_series]),
        note=note,
    )


def _draw(panels: list[_Panel], figure: Figure, palette: Palette) -> None:
    everything = [row for panel in panels for row in panel.points]
    columns = 1 + has_auroc(everything)
    grid = figure.subplots(len(panels), columns, sharex="row", sharey="col", squeeze=False)
    for place, (panel, row) in enumerate(zip(panels, grid, strict=True)):
        draw_curves(panel.points, [*row], palette, named=place == 0)
        row[0].xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        for axes in row:
            axes.set(xlabel=panel.kind.axis, xlim=_ends(panel))
    for axes, title, low in zip(grid[0], ("SSIM of the maps", "AUROC"), (lowest(everything), 0.0), strict=False):
        axes.set(title=title, ylim=(low, 1))
    legend(figure, [name for name, _ in panels[0].points])


def _ends(panel: _Panel) -> tuple[float, float]:
    """Of the axis: with room at both sides for a mark."""
    places = [point["at"] for _, found in panel.points for point in found] + [panel.kind.still, panel.kind.end]
    room = 0.04 * (max(places) - min(places))
    return min(places) - room, max(places) + room


def _alt(panels: list[_Panel]) -> str:
    """The first and the last point of every curve."""
    told = [
        f"{plain_title(panel.kind.name)}, {name}: SSIM {number(found[1]['mean'], 2)} at {found[1]['at']:g}"
        + (f", {number(found[-1]['mean'], 2)} at {found[-1]['at']:g}" if len(found) > 2 else "")
        for panel in panels
        for name, found in panel.points
        if found
    ]
    return "; ".join(told)


def _tables(job: ReportJob, panels: list[_Panel], family: _Family) -> list[Table]:
    """One a series that has curves."""
    own = [[(panel.kind, panel.points[place][1]) for panel in panels] for place in range(len(job.all_series))]
    return [
        _table(f"{family.table} of {series.name}", [(kind, points) for kind, points in curves if points])
        for series, curves in zip(job.all_series, own, strict=True)
        if any(points for _, points in curves)
    ]


def _table(caption: str, curves: list[tuple[_Kind, list[CurvePoint]]]) -> Table:
    """The clean images, and every view of every deformation."""
    rows = [(CLEAN, curves[0][1][0])]
    rows += [(with_parameter(kind.name, point["at"]), point) for kind, points in curves for point in points[1:]]
    controlled = any(point["control"] is not None for _, point in rows)
    cells = [
        (
            view_title(view),
            number(point["mean"]),
            number(point["std"]),
            *([number(point["control"])] if controlled else []),
            *decision_cells(point),
        )
        for view, point in rows
    ]
    head = ("view", "SSIM", "std over samples", *(["control"] if controlled else []), *HEAD)
    return Table(caption, head, tuple(cells))
