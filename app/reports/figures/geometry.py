"""Geometric resilience by transformation, each beside its control (Table 2 of Crum et al., 2023)."""

from functools import partial
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app.domain.measures import GEOMETRIC_RESILIENCE, MeasureSpec, view_title
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.means import mean_of
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number, share, short

_MEASURE = GEOMETRIC_RESILIENCE.name


def geometry(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """A filled mark a score, a hollow one its control, by transformation."""
    settings = GEOMETRIC_RESILIENCE.settings_in(job.resolved.measures)
    if settings is None or not job.measured:
        return []
    views = (*settings.views, *settings.aggregates, *settings.moved_views)
    dots = (*settings.views, *settings.moved_views)
    drawing = Drawing(
        name="geometry",
        section=spec.name,
        title="Geometric resilience by transformation, beside its control",
        alt=f"Dots by transformation, hollow for the control. {_alt(job, tuple(settings.aggregates))}",
        draw=partial(_draw, job, dots),
        tables=tuple(_table(series, views) for series in job.measured),
        size=with_legend((4.6, 1.1 + 0.26 * len(dots)), [series.name for series in job.all_series]),
    )
    return [drawing]


_DOTS: tuple[tuple[Literal["mean", "control_mean"], str], ...] = (("mean", "full"), ("control_mean", "none"))


def _draw(job: ReportJob, views: tuple[str, ...], figure: Figure, palette: Palette) -> None:
    axes = figure.add_subplot(xlabel="SSIM with the clean map (hollow: control)")
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    step = 0.5 / max(len(job.all_series), 1)
    for place, series in enumerate(job.all_series):
        heights = [row + step * (place - (len(job.all_series) - 1) / 2) for row in range(len(views))]
        look: dict[str, Any] = {"color": palette.colour(place), "marker": palette.marker(place), "linestyle": "none"}
        for name, fill in _DOTS:
            known = [mean_of(series.summaries(_MEASURE, view), name) for view in views]
            label = short(series.name) if name == "mean" else None
            axes.plot(
                [float("nan") if one is None else one for one in known], heights, fillstyle=fill, label=label, **look
            )
    axes.set_yticks(range(len(views)), [view_title(view) for view in views])
    axes.invert_yaxis()
    legend(figure, [series.name for series in job.all_series])


def _alt(job: ReportJob, groups: tuple[str, ...]) -> str:
    told = [
        f"{series.name}: "
        + ", ".join(
            f"{view} {number(mean_of(series.summaries(_MEASURE, view), 'mean'), 2)}"
            f" (control {number(mean_of(series.summaries(_MEASURE, view), 'control_mean'), 2)})"
            for view in groups
        )
        for series in job.measured
    ]
    return "; ".join(told)


def _table(series: Series, views: tuple[str, ...]) -> Table:
    rows = []
    for view in views:
        found = series.summaries(_MEASURE, view)
        score, control = mean_of(found, "mean"), mean_of(found, "control_mean")
        above = None if score is None or control is None else score - control
        cells = (number(score), number(mean_of(found, "std")), number(control), number(above))
        rows.append((view_title(view), *cells, share(mean_of(found, "flip_rate"))))
    head = ("view", "SSIM", "std over samples", "control", "above control", "predictions that change")
    return Table(f"Geometry of {series.name}", head, tuple(rows))
