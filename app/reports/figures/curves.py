"""The noise curve with its AUROC (Fig. 4) and the ROC curves (Fig. 9) of Crum et al. (2023)."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.domain.vocabulary import CLEAN, DEGRADATIONS, MeasureName, noise_view
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import Json, ReportJob, Side
from app.reports.tables import Table
from app.reports.words import listed, number, share, short, view_title

RATES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""False positive rates at which a table gives the true positive rate."""
_POINTS = 200
Points = list[tuple[str, list[Json]]]
"""Of every side, by its name: none where it has no curve."""


def noise_curves(job: ReportJob) -> list[Drawing]:
    """The score and AUROC over the amount of noise; none where the protocol asks for one amount only."""
    points = [(side.name, _mean_points(side)) for side in job.sides]
    if not any(len(found) > 1 for _, found in points):
        return []
    title = "Noise: the map and the decision as the amount grows"
    drawing = Drawing(
        name="noise-curve",
        section=MeasureName.NOISE_REACTION,
        title=title,
        alt=f"Two curves over the amount of noise, SSIM of the maps and AUROC. {_noise_alt(points)}",
        draw=partial(_draw_noise, points),
        tables=tuple(_noise_table(name, found) for name, found in points if found),
        size=with_legend((4.4, 4.2), [name for name, _ in points]),
    )
    return [drawing]


def _mean_points(side: Side) -> list[Json]:
    """Per amount, the mean over the side's models; a number that one of them lacks is lacking."""
    found = [
        curve["points"]
        for curve in (side.document or {}).get("noise_curves", [])
        if curve["model_id"] in side.model_ids
    ]
    names = ("amount", "mean", "std", "auroc", "accuracy", "flip_rate")
    return [{name: _mean([point[name] for point in column]) for name in names} for column in zip(*found, strict=True)]


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined and len(defined) == len(values) else None


def _draw_noise(points: Points, figure: Figure, palette: Palette) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True)
    for place, (name, found) in enumerate(points):
        amounts, means, spreads, aurocs = (
            np.array([point[name] for point in found], dtype=np.float64) for name in ("amount", "mean", "std", "auroc")
        )
        look: dict[str, Any] = {
            "color": palette.colour(place),
            "linestyle": palette.dash(place),
            "marker": palette.marker(place),
        }
        upper.fill_between(amounts, means - spreads, means + spreads, color=look["color"], alpha=0.12, linewidth=0)
        upper.plot(amounts, means, label=short(name), **look)
        lower.plot(amounts, aurocs, **look)
    for axes, title in ((upper, "SSIM of the maps"), (lower, "AUROC")):
        axes.grid()
        axes.set_ylabel(title)
    lower.set_xlabel("share of channel values that are noise")
    legend(figure, [name for name, _ in points])


def _noise_alt(points: Points) -> str:
    told = [
        f"{name}: SSIM {number(found[0]['mean'], 2)} at {share(found[0]['amount'])} noise, "
        f"{number(found[-1]['mean'], 2)} at {share(found[-1]['amount'])}"
        for name, found in points
        if found
    ]
    return "; ".join(told)


def _noise_table(name: str, points: list[Json]) -> Table:
    rows = [
        (
            view_title(noise_view(point["amount"])),
            *(number(point[key]) for key in ("mean", "std", "auroc", "accuracy")),
            share(point["flip_rate"]),
        )
        for point in points
    ]
    head = ("amount", "SSIM", "std over samples", "AUROC", "accuracy", "predictions that change")
    return Table(f"Noise curve of {name}", head, tuple(rows))


def roc_curves(job: ReportJob) -> list[Drawing]:
    """One figure a side: clean, salience removed, non-salience removed; every run of the side a line of its own."""
    sides = [side for side in job.measured if any(row.get("roc") for row in side.performance(CLEAN))]
    return [_roc(side, f"roc-{place + 1}" if len(sides) > 1 else "roc") for place, side in enumerate(sides)]


def _roc(side: Side, name: str) -> Drawing:
    conditions = [condition for condition in (CLEAN, *DEGRADATIONS) if side.performance(condition)]
    told = [
        f"{view_title(one)}: AUROC {listed([number(row['auroc'], 2) for row in side.performance(one)])}"
        for one in conditions
    ]
    return Drawing(
        name=name,
        section=MeasureName.DEGRADATION,
        title=f"ROC curves of {side.name}",
        alt=f"ROC curves. {'; '.join(told)}.",
        draw=partial(_draw_roc, side, conditions),
        tables=(_roc_table(side, conditions),),
        size=with_legend((4.0, 3.8), [view_title(condition) for condition in conditions]),
    )


def _draw_roc(side: Side, conditions: list[str], figure: Figure, palette: Palette) -> None:
    axes: Axes = figure.add_subplot(xlabel="false positive rate", ylabel="true positive rate")
    axes.grid()
    axes.plot([0, 1], [0, 1], color=palette.muted, linewidth=0.8, linestyle=":")
    for place, condition in enumerate(conditions):
        for run, row in enumerate(side.performance(condition)):
            false, true = _drawn(row["roc"])
            label = view_title(condition) if run == 0 else None
            axes.plot(false, true, palette.dash(place), color=palette.colour(place), linewidth=1.3, label=label)
    axes.set_aspect("equal")
    legend(figure, [view_title(condition) for condition in conditions])


def _drawn(roc: Json | None) -> tuple[list[float], list[float]]:
    """At most 200 of its corners, evenly spread: more cannot be told apart."""
    false, true = ([], []) if roc is None else (roc["fpr"], roc["tpr"])
    places = np.unique(np.linspace(0, max(len(false) - 1, 0), min(len(false), _POINTS)).round().astype(int))
    return [false[place] for place in places], [true[place] for place in places]


def _roc_table(side: Side, conditions: list[str]) -> Table:
    names = dict(zip(side.model_ids, side.model_names(), strict=False))
    rows = [
        (
            f"{names.get(row['model_id'], side.name)}, {view_title(condition)}",
            *(number(row[key]) for key in ("accuracy", "auroc")),
            *(number(_true_rate(row["roc"], rate)) for rate in RATES),
        )
        for condition in conditions
        for row in side.performance(condition)
    ]
    head = ("model and images", "accuracy", "AUROC", *(f"TPR at FPR {rate:g}" for rate in RATES))
    return Table(f"Decisions of {side.name} on clean and degraded images", head, tuple(rows))


def _true_rate(roc: Json | None, rate: float) -> float | None:
    return None if roc is None else float(np.interp(rate, roc["fpr"], roc["tpr"]))
