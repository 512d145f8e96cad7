"""The radar of Crum et al. (2023), Fig. 11."""

import math
from typing import cast

from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from app.domain.radar import FORMULAS
from app.domain.vocabulary import MeasureName
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob, Side
from app.reports.tables import Table
from app.reports.words import MINUS, TITLES, listed, number, short

AXES = tuple(MeasureName)


def radar_figure(job: ReportJob) -> list[Drawing]:
    """Five axes in [0, 1], higher is better; a side that lacks an axis has a gap there."""

    names = [side.name for side in job.sides]

    def draw(figure: Figure, palette: Palette) -> None:
        axes = cast("PolarAxes", figure.add_subplot(projection="polar"))
        _set_up(axes, palette)
        for place, side in enumerate(job.sides):
            _polygon(axes, side, place, palette)
        legend(figure, names)

    size, title = with_legend((4.6, 4.4), names), "The five measures at a glance"
    return [Drawing("radar", "overview", title, _alt(job.sides), draw, _tables(job), size)]


def _set_up(axes: PolarAxes, palette: Palette) -> None:
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0], ["", "0.5", "", "1"], color=palette.muted)
    axes.set_rlabel_position(36)
    axes.set_xticks(
        _angles(), [f"1 {MINUS} entropy", "noise\nreaction", "geometric\nresilience", "degradation", "stability"]
    )
    _, *right, upper_left, lower_left = axes.get_xticklabels()
    for label in right:
        label.set_horizontalalignment("left")
    for label in (upper_left, lower_left):
        label.set_horizontalalignment("right")
    axes.spines["polar"].set_color(palette.grid)


def _angles() -> list[float]:
    return [2 * math.pi * place / len(AXES) for place in range(len(AXES))]


def _polygon(axes: PolarAxes, side: Side, place: int, palette: Palette) -> None:
    values = [side.radar.get(measure) for measure in AXES]
    closed = [math.nan if value is None else value for value in (*values, values[0])]
    angles, colour = [*_angles(), 0.0], palette.colour(place)
    if None not in values:
        axes.fill(angles, closed, color=colour, alpha=0.12, linewidth=0)
    axes.plot(angles, closed, palette.dash(place), color=colour, marker=palette.marker(place), label=short(side.name))


def _alt(sides: list[Side]) -> str:
    told = [
        f"{side.name}: "
        + ", ".join(f"{TITLES[measure].lower()} {number(side.radar.get(measure), 2)}" for measure in AXES)
        for side in sides
    ]
    return f"Radar with five axes from 0 to 1, higher is better. {'; '.join(told)}."


def _tables(job: ReportJob) -> tuple[Table, ...]:
    rows = [
        (TITLES[measure], *(number(side.radar.get(measure)) for side in job.sides), FORMULAS[measure])
        for measure in AXES
    ]
    head = ("axis", *(side.name for side in job.sides), "how it is made")
    missing = [
        TITLES[measure].lower() for measure in AXES if any(side.radar.get(measure) is None for side in job.sides)
    ]
    note = f" Not measured everywhere: {listed(missing)}." if missing else ""
    words = (len(head) - 1,)
    return (Table(f"The radar's numbers, each in [0, 1], higher is better.{note}", head, tuple(rows), words),)
