"""The noise curve with its AUROC (Fig. 4) of Crum et al. (2023)."""

from functools import partial
from typing import Any, TypedDict

import numpy as np
from matplotlib.figure import Figure

from app.domain.measures import MeasureSpec, view_title
from app.domain.results.documents import NoisePoint
from app.domain.views import noise_view
from app.domain.vocabulary import CLEAN
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob, Series
from app.reports.tables import Table
from app.reports.words import number, share, short

CHANCE = 0.5
BAND = "Band: one standard deviation over the samples to either side of the mean{runs}."


class CurvePoint(TypedDict):
    """One amount of noise, means over the models of a series."""

    amount: float
    mean: float | None
    std: float | None
    auroc: float | None
    accuracy: float | None
    flip_rate: float | None


Points = list[tuple[str, list[CurvePoint]]]
"""Of every series, by its name: none where it has no curve."""


def noise_curves(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """The score and AUROC over the amount of noise; none where the protocol asks for one amount only."""
    points = [(series.name, _mean_points(series)) for series in job.all_series]
    if not any(len(found) > 2 for _, found in points):
        return []
    decided = _decided(points)
    seen = (
        "Two curves over the amount of noise, SSIM of the maps and AUROC"
        if decided
        else "SSIM of the maps over the amount of noise"
    )
    runs = ", means over the runs" if any(len(series.model_ids) > 1 for series in job.all_series) else ""
    drawing = Drawing(
        name="noise-curve",
        section=spec.name,
        title=f"Noise: the map{' and the decision' if decided else ''} as the amount grows",
        alt=f"{seen}. {_noise_alt(points)}",
        draw=partial(_draw_noise, points),
        tables=tuple(_noise_table(name, found) for name, found in points if found),
        size=with_legend((4.4, 4.2 if decided else 2.7), [name for name, _ in points]),
        note=BAND.format(runs=runs) + (" Dotted: chance. AUROC at 0 is that of the clean images." if decided else ""),
    )
    return [drawing]


def _decided(points: Points) -> bool:
    """Whether there is an AUROC at all: without labels there is none to draw."""
    return any(point["auroc"] is not None for _, found in points for point in found)


def _mean_points(series: Series) -> list[CurvePoint]:
    """Per amount, the mean over the series' models; a number that one of them lacks is lacking.

    The first amount is 0, the clean images, whose maps are what all others are compared with.
    """
    found = [
        curve["points"]
        for curve in (series.document["noise_curves"] if series.document else [])
        if curve["model_id"] in series.model_ids
    ]
    noisy = [_over_models(list(column)) for column in zip(*found, strict=True)]
    if not noisy:
        return []
    rows = series.performance(CLEAN)
    clean: CurvePoint = {
        "amount": 0.0,
        "mean": 1.0,
        "std": 0.0,
        "flip_rate": 0.0,
        "auroc": _mean([row["auroc"] for row in rows]),
        "accuracy": _mean([row["accuracy"] for row in rows]),
    }
    return [clean, *noisy]


def _over_models(points: list[NoisePoint]) -> CurvePoint:
    return {
        "amount": points[0]["amount"],
        "mean": _mean([point["mean"] for point in points]),
        "std": _mean([point["std"] for point in points]),
        "auroc": _mean([point["auroc"] for point in points]),
        "accuracy": _mean([point["accuracy"] for point in points]),
        "flip_rate": _mean([point["flip_rate"] for point in points]),
    }


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined and len(defined) == len(values) else None


def _draw_noise(points: Points, figure: Figure, palette: Palette) -> None:
    panels = figure.subplots(1 + _decided(points), 1, sharex=True, squeeze=False)[:, 0]
    lowest = 0.0
    for place, (name, found) in enumerate(points):
        amounts, means, spreads, aurocs = (
            np.array([point[name] for point in found], dtype=np.float64) for name in ("amount", "mean", "std", "auroc")
        )
        look: dict[str, Any] = {
            "color": palette.colour(place),
            "linestyle": palette.dash(place),
            "marker": palette.marker(place),
            "clip_on": False,
        }
        # Without the clean images: a map is as it is, and a line down from there would show nothing.
        band = (amounts[1:], means[1:] - spreads[1:], means[1:] + spreads[1:])
        panels[0].fill_between(*band, color=look["color"], alpha=0.12, linewidth=0)
        panels[0].plot(amounts[1:], means[1:], label=short(name), **look)
        if len(panels) > 1:
            panels[1].plot(amounts, aurocs, **look)
        lowest = min([lowest, *means[np.isfinite(means)].tolist()])
    for axes, title, low in zip(panels, ("SSIM of the maps", "AUROC"), (lowest, 0.0), strict=False):
        axes.grid()
        axes.set(ylabel=title, ylim=(low, 1))
    for axes in panels[1:]:
        axes.axhline(CHANCE, color=palette.muted, linewidth=0.8, linestyle=":")
    panels[-1].set_xlabel("share of channel values that are noise")
    legend(figure, [name for name, _ in points])


def _noise_alt(points: Points) -> str:
    told = [
        f"{name}: SSIM {number(found[1]['mean'], 2)} at {share(found[1]['amount'])} noise, "
        f"{number(found[-1]['mean'], 2)} at {share(found[-1]['amount'])}"
        for name, found in points
        if found
    ]
    return "; ".join(told)


def _noise_table(name: str, points: list[CurvePoint]) -> Table:
    rows = [
        (
            view_title(noise_view(point["amount"])) if point["amount"] else "noise 0% (clean images)",
            *(number(point[key]) for key in ("mean", "std", "auroc", "accuracy")),
            share(point["flip_rate"]),
        )
        for point in points
    ]
    head = ("amount", "SSIM", "std over samples", "AUROC", "accuracy", "predictions that change")
    return Table(f"Noise curve of {name}", head, tuple(rows))
