"""Curves of scores and AUROC as images change more and more, as Fig. 4 of Crum et al. (2023) has them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from matplotlib.axes import Axes

from app.domain.vocabulary import CLEAN
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.words import number, share, short

CHANCE = 0.5
BAND = "Band: one standard deviation over the samples to either side of the mean{runs}."
HEAD = ("AUROC", "accuracy", "predictions that change")


class CurvePoint(TypedDict):
    """One place of a curve, means over the models of a series; ``control`` is there where the measure has one."""

    at: float
    mean: float | None
    std: float | None
    control: float | None
    auroc: float | None
    accuracy: float | None
    flip_rate: float | None


Points = list[tuple[str, list[CurvePoint]]]
"""Of every series, by its name: none where it has no curve. The first point is that of the clean images."""


def mean_points(
    series: Series, curves: Iterable[Mapping[str, Any]], place: str, still: float = 0.0
) -> list[CurvePoint]:
    """Of the curves of the results document those of the series, as the mean over its models at every ``place``.

    A number that one of them lacks is lacking. Clean images, whose maps are what all others are compared with, are
    where nothing changes: at ``still``.
    """
    own = [curve["points"] for curve in curves if curve["model_id"] in series.model_ids]
    changed = [_over_models(list(column), place) for column in zip(*own, strict=True)]
    if not changed:
        return []
    rows = series.performance(CLEAN)
    clean: CurvePoint = {
        "at": float(still),
        "mean": 1.0,
        "std": 0.0,
        "control": None,
        "flip_rate": 0.0,
        "auroc": _mean([row["auroc"] for row in rows]),
        "accuracy": _mean([row["accuracy"] for row in rows]),
    }
    return [clean, *changed]


def _over_models(points: Sequence[Mapping[str, Any]], place: str) -> CurvePoint:
    return {
        "at": float(points[0][place]),
        "mean": _mean([point["mean"] for point in points]),
        "std": _mean([point["std"] for point in points]),
        "control": _mean([point.get("control_mean") for point in points]),
        "auroc": _mean([point["auroc"] for point in points]),
        "accuracy": _mean([point["accuracy"] for point in points]),
        "flip_rate": _mean([point["flip_rate"] for point in points]),
    }


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined and len(defined) == len(values) else None


def has_auroc(points: Points) -> bool:
    """Without labels there is none to draw."""
    return any(point["auroc"] is not None for _, found in points for point in found)


def lowest(points: Points) -> float:
    """Where the axis of scores begins: at 0, or at the lowest mean or control."""
    known = [one for _, found in points for point in found for one in (point["mean"], point["control"])]
    return min([0.0, *(one for one in known if one is not None)])


def band_note(job: ReportJob) -> str:
    """What the band around a curve is."""
    return BAND.format(runs=", means over the runs" if any(len(one.model_ids) > 1 for one in job.all_series) else "")


def draw_curves(points: Points, panels: Sequence[Axes], palette: Palette, *, named: bool = True) -> None:
    """Scores in the first panel, hollow for their control; AUROC in the second, where there is one. A legend has the
    curves of panels that are ``named``.
    """
    for place, (name, found) in enumerate(points):
        look: dict[str, Any] = {
            "color": palette.colour(place),
            "linestyle": palette.dash(place),
            "marker": palette.marker(place),
            "clip_on": False,
        }
        # Without the clean images: a map is as it is, and a line down from there would show nothing.
        at, means, spreads, controls = _columns(found[1:], "at", "mean", "std", "control")
        panels[0].fill_between(at, means - spreads, means + spreads, color=look["color"], alpha=0.12, linewidth=0)
        panels[0].plot(at, means, label=short(name) if named else None, **look)
        if np.isfinite(controls).any():
            panels[0].plot(at, controls, **(look | {"linestyle": "none", "fillstyle": "none"}))
        if len(panels) > 1:
            panels[1].plot(*_columns(sorted(found, key=lambda point: point["at"]), "at", "auroc"), **look)
    for axes in panels:
        axes.grid()
    for axes in panels[1:]:
        axes.axhline(CHANCE, color=palette.muted, linewidth=0.8, linestyle=":")


def _columns(points: list[CurvePoint], *names: str) -> list[Any]:
    rows: list[Mapping[str, Any]] = [*points]
    return [np.array([row[name] for row in rows], dtype=np.float64) for name in names]


def decision_cells(point: CurvePoint) -> tuple[str, ...]:
    """Under `HEAD`."""
    return number(point["auroc"]), number(point["accuracy"]), share(point["flip_rate"])
