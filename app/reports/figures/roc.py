"""The ROC curves of Crum et al. (2023), Fig. 9, and the decisions on clean and degraded images as a table."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.domain.measures import MeasureSpec, view_title
from app.domain.results.performance import Performance, Roc
from app.domain.vocabulary import CLEAN
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import listed, number

RATES = (0.0, 0.01, 0.02, *(place / 20 for place in range(1, 11)), 0.6, 0.7, 0.8, 0.9, 1.0)
"""False positive rates at which a table gives the true positive rate: enough to draw the curve again."""
_POINTS = 200
NO_CURVE = (
    "No ROC curves: with more than two classes there is no single false positive rate. AUROC is the mean over the "
    "classes of each against all others; the results document has every class."
)
ONE_CLASS = "Neither ROC curves nor AUROC: the samples with a label all belong to one class."


def roc_curves(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """One figure a series: clean, salience removed, non-salience removed; every run of the series a line of its own."""
    all_series = [series for series in job.measured if any(row.get("roc") for row in series.performance(CLEAN))]
    return [
        _roc(series, f"roc-{place + 1}" if len(all_series) > 1 else "roc", spec)
        for place, series in enumerate(all_series)
    ]


def _roc(series: Series, name: str, spec: MeasureSpec[Any]) -> Drawing:
    conditions = [condition for condition in decided_conditions(spec) if series.performance(condition)]
    told = [
        f"{view_title(one)}: AUROC {listed([number(row['auroc'], 2) for row in series.performance(one)])}"
        for one in conditions
    ]
    return Drawing(
        name=name,
        section=spec.name,
        title=f"ROC curves of {series.name}",
        alt=f"ROC curves. {'; '.join(told)}.",
        draw=partial(_draw_roc, series, conditions),
        tables=(_roc_table(series, conditions),),
        note="Dotted: chance." + (" Each run is a line of its own." if len(series.model_ids) > 1 else ""),
        size=with_legend((4.0, 3.8), [view_title(condition) for condition in conditions]),
    )


def _draw_roc(series: Series, conditions: list[str], figure: Figure, palette: Palette) -> None:
    axes: Axes = figure.add_subplot(xlabel="false positive rate", ylabel="true positive rate")
    axes.grid()
    axes.plot([0, 1], [0, 1], color=palette.muted, linewidth=0.8, linestyle=":")
    for place, condition in enumerate(conditions):
        for run, row in enumerate(series.performance(condition)):
            false, true = _drawn(row["roc"])
            label = view_title(condition) if run == 0 else None
            axes.plot(false, true, palette.dash(place), color=palette.colour(place), linewidth=1.3, label=label)
    axes.set_aspect("equal")
    legend(figure, [view_title(condition) for condition in conditions])


def _drawn(roc: Roc | None) -> tuple[list[float], list[float]]:
    """At most 200 of its corners, evenly spread: more cannot be told apart."""
    false, true = ([], []) if roc is None else (roc["fpr"], roc["tpr"])
    places = np.unique(np.linspace(0, max(len(false) - 1, 0), min(len(false), _POINTS)).round().astype(int))
    return [false[place] for place in places], [true[place] for place in places]


def decided_conditions(spec: MeasureSpec[Any]) -> tuple[str, ...]:
    """The images whose decisions a measure's ROC curves show: clean ones, and those of its views."""
    return (CLEAN, *spec.fixed_views())


def decision_tables(job: ReportJob, spec: MeasureSpec[Any]) -> list[Table]:
    """Accuracy and AUROC of every series that has them, whether or not there are curves."""
    head = ("model and images", "n", "accuracy", "AUROC")
    return [
        Table(f"Decisions of {series.name} on clean and degraded images", head, rows)
        for series in job.measured
        if (rows := tuple(_decisions(series, spec)))
    ]


def _decisions(series: Series, spec: MeasureSpec[Any]) -> list[tuple[str, ...]]:
    return [
        (_owner(series, row, condition), str(row["n"]), *(number(row[key]) for key in ("accuracy", "auroc")))
        for condition in decided_conditions(spec)
        for row in series.performance(condition)
    ]


def why_no_curve(job: ReportJob) -> str | None:
    """Where there are decisions, yet of more classes than a curve can show, or of one only."""
    rows = [row for series in job.measured for row in series.performance(CLEAN)]
    if not rows or any(row.get("roc") for row in rows):
        return None
    return NO_CURVE if all("auroc_by_class" in row for row in rows) else ONE_CLASS


def _roc_table(series: Series, conditions: list[str]) -> Table:
    rows = [
        (_owner(series, row, condition), *(number(_true_rate(row["roc"], rate)) for rate in RATES))
        for condition in conditions
        for row in series.performance(condition)
    ]
    head = ("model and images", *(f"{rate:g}" for rate in RATES))
    caption = (
        f"ROC curves of {series.name}: true positive rate by false positive rate, straight between corners. The "
        "results document has every corner."
    )
    return Table(caption, head, tuple(rows), collapsed=True)


def _owner(series: Series, row: Performance, condition: str) -> str:
    names = dict(zip(series.model_ids, series.model_names(), strict=False))
    return f"{names.get(row['model_id'], series.name)}, {view_title(condition)}"


def _true_rate(roc: Roc | None, rate: float) -> float | None:
    return None if roc is None else float(np.interp(rate, roc["fpr"], roc["tpr"]))
