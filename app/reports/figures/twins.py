"""Every headline number of a model beside that of its random twin, the floor under it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app.domain.measures import MeasureSpec, spec_of, view_title
from app.domain.results.twins import TwinDistance
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.means import mean_of_defined
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import NO_NUMBER, interval, number, score_title, short, signed

_WORDS = {True: "yes", False: "no", None: NO_NUMBER}
Score = tuple[str, str]


def twins(job: ReportJob, spec: MeasureSpec[Any]) -> list[Drawing]:
    """A filled mark a number, a hollow one its twin's; of several runs the means over them and their twins."""
    found = [(series, distances) for series in job.measured if (distances := _distances(series))]
    if not found:
        return []
    scores = list(dict.fromkeys(score for _, distances in found for score in distances))
    names = [series.name for series, _ in found]
    drawing = Drawing(
        name=spec.name,
        section=spec.name,
        title="Each number beside that of the same network with random weights",
        alt=f"Dots by measure, hollow for the random twin. {_alt(found)}",
        draw=partial(_draw, found, scores),
        tables=tuple(_table(series) for series, _ in found),
        size=with_legend((4.8, 1.1 + 0.4 * len(scores)), names),
        note="Filled: the model. Hollow: its random twin, which has learnt nothing.",
    )
    return [drawing]


def _rows(series: Series) -> Iterator[tuple[str, TwinDistance]]:
    """Of every run of the series, under its name where there are several."""
    sections = [] if series.document is None else series.document.get("sanity") or []
    for section in sections:
        if section["model_id"] in series.model_ids:
            name = "".join(series.names_of([section["model_id"]])) if len(series.model_ids) > 1 else ""
            yield from ((name, row) for row in section["distances"])


def _distances(series: Series) -> dict[Score, tuple[float | None, float | None]]:
    """Means over the runs, and over their twins."""
    rows = [row for _, row in _rows(series)]
    own = {score: [row for row in rows if (row["measure"], row["view"]) == score] for score in _scores(rows)}
    return {
        score: (
            mean_of_defined(row["mean"] for row in found),
            mean_of_defined(row["random_mean"] for row in found),
        )
        for score, found in own.items()
    }


def _scores(rows: list[TwinDistance]) -> dict[Score, None]:
    return dict.fromkeys((row["measure"], row["view"]) for row in rows)


Found = list[tuple[Series, dict[Score, tuple[float | None, float | None]]]]


def _draw(found: Found, scores: list[Score], figure: Figure, palette: Palette) -> None:
    axes = figure.add_subplot(xlabel="score (hollow: random twin)")
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    step = 0.5 / len(found)
    for place, (series, distances) in enumerate(found):
        look: dict[str, Any] = {"color": palette.colour(place), "marker": palette.marker(place)}
        for row, score in enumerate(scores):
            pair = [float("nan") if one is None else one for one in distances.get(score, (None, None))]
            height = row + step * (place - (len(found) - 1) / 2)
            axes.plot(pair, [height] * 2, color=look["color"], linewidth=1)
            axes.plot(pair[:1], [height], linestyle="none", label=short(series.name) if row == 0 else None, **look)
            axes.plot(pair[1:], [height], linestyle="none", fillstyle="none", **look)
    names = [f"{spec_of(measure).title}\n{short(view_title(view))}" for measure, view in scores]
    axes.set_yticks(range(len(scores)), names)
    axes.set_ylim(len(scores) - 0.5, -0.5)
    legend(figure, [series.name for series, _ in found])


def _alt(found: Found) -> str:
    told = [
        f"{series.name}: "
        + ", ".join(
            f"{score_title(*score)} {number(own, 2)} (twin {number(twin, 2)})"
            for score, (own, twin) in distances.items()
        )
        for series, distances in found
    ]
    return "; ".join(told)


def _table(series: Series) -> Table:
    """A row a number and run."""
    rows = [
        (
            f"{score_title(row['measure'], row['view'])}{f', {name}' if name else ''}",
            number(row["mean"]),
            number(row["random_mean"]),
            signed(row["difference"]),
            interval(row["ci95_low"], row["ci95_high"]),
            _WORDS[row["better"]],
        )
        for name, row in _rows(series)
    ]
    head = ("number", "model", "random twin", "difference", "95% interval", "better than random")
    caption = f"{series.name} beside the same network with random weights, over the samples that both scored"
    return Table(caption, head, tuple(rows), words=(len(head) - 1,))
