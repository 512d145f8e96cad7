"""The noise curve with its AUROC (Fig. 4) of Crum et al. (2023)."""

from functools import partial
from typing import Any

from matplotlib.figure import Figure

from app.domain.measures import MeasureSpec, view_title
from app.domain.views.families import noise_view
from app.reports.figures import curves
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number, share


def noise_curves(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """The score and AUROC over the amount of noise; none where the protocol asks for one amount only."""
    points = [(series.name, _points(series)) for series in job.all_series]
    if not any(len(found) > 2 for _, found in points):
        return []
    decided = curves.has_auroc(points)
    seen = (
        "Two curves over the amount of noise, SSIM of the maps and AUROC"
        if decided
        else "SSIM of the maps over the amount of noise"
    )
    drawing = Drawing(
        name="noise-curve",
        section=spec.name,
        title=f"Noise: the map{' and the decision' if decided else ''} as the amount grows",
        alt=f"{seen}. {_alt(points)}",
        draw=partial(_draw, points),
        tables=tuple(_table(name, found) for name, found in points if found),
        size=with_legend((4.4, 4.2 if decided else 2.7), [name for name, _ in points]),
        note=curves.band_note(job) + (" Dotted: chance. AUROC at 0 is that of the clean images." if decided else ""),
    )
    return [drawing]


def _points(series: Series) -> list[curves.CurvePoint]:
    return [] if series.document is None else curves.mean_points(series, series.document["noise_curves"], "amount")


def _draw(points: curves.Points, figure: Figure, palette: Palette) -> None:
    panels = figure.subplots(1 + curves.has_auroc(points), 1, sharex=True, squeeze=False)[:, 0]
    curves.draw_curves(points, [*panels], palette)
    for axes, title, low in zip(panels, ("SSIM of the maps", "AUROC"), (curves.lowest(points), 0.0), strict=False):
        axes.set(ylabel=title, ylim=(low, 1))
    panels[-1].set_xlabel("share of channel values that are noise")
    legend(figure, [name for name, _ in points])


def _alt(points: curves.Points) -> str:
    told = [
        f"{name}: SSIM {number(found[1]['mean'], 2)} at {share(found[1]['at'])} noise, "
        f"{number(found[-1]['mean'], 2)} at {share(found[-1]['at'])}"
        for name, found in points
        if found
    ]
    return "; ".join(told)


def _table(name: str, points: list[curves.CurvePoint]) -> Table:
    rows = [
        (
            view_title(noise_view(point["at"])) if point["at"] else "noise 0% (clean images)",
            *(number(point[key]) for key in ("mean", "std")),
            *curves.decision_cells(point),
        )
        for point in points
    ]
    return Table(f"Noise curve of {name}", ("amount", "SSIM", "std over samples", *curves.HEAD), tuple(rows))
