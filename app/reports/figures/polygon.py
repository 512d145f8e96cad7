"""The radar of Crum et al. (2023), Fig. 11."""

import math
from typing import Any, NamedTuple, cast

from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from app.domain.measures import spec_of
from app.domain.results.radar import axes_of, headline_views
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import Greyed, listed, number, short

Measures = tuple[str, ...]


class _Line(NamedTuple):
    """A series' name, and its place among the colours."""

    name: str
    place: int


def radar_figure(job: ReportJob) -> list[Drawing]:
    """Axes in [0, 1], higher is better; a series that lacks an axis has a gap there."""
    names, measures = [series.name for series in job.all_series], axes_of(job.resolved)

    def draw(figure: Figure, palette: Palette) -> None:
        axes = cast("PolarAxes", figure.add_subplot(projection="polar"))
        _set_up(axes, measures, palette)
        for place, series in enumerate(job.all_series):
            _polygon(axes, _points(job, series, measures), palette, _Line(series.name, place))
        legend(figure, names)

    size, title = (
        with_legend((4.6, 4.4), names),
        "The five measures at a glance" if len(measures) == 5 else "The measures at a glance",
    )
    return [Drawing("radar", "overview", title, _alt(job.all_series, measures), draw, _tables(job, measures), size)]


def _set_up(axes: PolarAxes, measures: Measures, palette: Palette) -> None:
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0], ["", "0.5", "", "1"], color=palette.muted)
    axes.set_rlabel_position(36)
    angles = _angles(len(measures))
    axes.set_xticks(angles, [axis.label for measure in measures if (axis := spec_of(measure).axis) is not None])
    for angle, label in zip(angles, axes.get_xticklabels(), strict=True):
        if angle % math.pi:  # beside the figure, not above or below it
            label.set_horizontalalignment("left" if angle < math.pi else "right")
    axes.spines["polar"].set_color(palette.grid)


def _angles(count: int) -> list[float]:
    return [2 * math.pi * place / count for place in range(count)]


class _Point(NamedTuple):
    """A number on its axis; ``counts`` is false where it says nothing."""

    value: float | None
    counts: bool


def _points(job: ReportJob, series: Series, measures: Measures) -> list[_Point]:
    return [_Point(series.radar.get(measure), not silences(job, series, measure)) for measure in measures]


def silences(job: ReportJob, series: Series, measure: str) -> list[str]:
    """Why an axis says nothing: by any of the numbers that it is made of."""
    views = headline_views(job.resolved).get(measure, ())
    return list(dict.fromkeys(code for view in views for code in series.says_nothing(measure, view)))


def _polygon(axes: PolarAxes, points: list[_Point], palette: Palette, line: _Line) -> None:
    """A line through the numbers that count; one that says nothing is a hollow grey mark beside it."""
    values = [point.value if point.counts else None for point in points]
    closed = [math.nan if value is None else value for value in (*values, values[0])]
    angles, colour = [*_angles(len(values)), 0.0], palette.colour(line.place)
    if None not in values:
        axes.fill(angles, closed, color=colour, alpha=0.12, linewidth=0)
    silent = [(angle, one.value) for angle, one in zip(angles, points, strict=False) if not one.counts and one.value]
    for angle, value in silent:
        axes.plot([angle], [value], palette.marker(line.place), color=palette.muted, fillstyle="none")
    look: dict[str, Any] = {"color": colour, "marker": palette.marker(line.place)}
    axes.plot(angles, closed, palette.dash(line.place), label=short(line.name), **look)


def _alt(all_series: list[Series], measures: Measures) -> str:
    told = [
        f"{series.name}: "
        + ", ".join(f"{spec_of(measure).title.lower()} {number(series.radar.get(measure), 2)}" for measure in measures)
        for series in all_series
    ]
    count = "five" if len(measures) == 5 else str(len(measures))
    return f"Radar with {count} axes from 0 to 1, higher is better. {'; '.join(told)}."


def _cell(job: ReportJob, series: Series, measure: str) -> str:
    value = series.radar.get(measure)
    return number(value) if value is None else Greyed.of(number(value), silences(job, series, measure))


def _tables(job: ReportJob, measures: Measures) -> tuple[Table, ...]:
    rows = [
        (
            spec.title,
            *(_cell(job, series, spec.name) for series in job.all_series),
            spec.axis.formula if spec.axis else "",
        )
        for spec in map(spec_of, measures)
    ]
    head = ("axis", *(series.name for series in job.all_series), "how it is made")
    missing = [
        spec_of(measure).title.lower()
        for measure in measures
        if any(series.radar.get(measure) is None for series in job.all_series)
    ]
    note = f" Not measured everywhere: {listed(missing)}." if missing else ""
    words = (len(head) - 1,)
    return (Table(f"The radar's numbers, each in [0, 1], higher is better.{note}", head, tuple(rows), words),)
