"""How the scores of each measure's headline views are distributed over the samples."""

from functools import partial
from typing import Literal

from matplotlib.figure import Figure

from app.domain.results.radar import headline_views
from app.domain.results.summaries import Summary
from app.reports.figures.drawing import Drawing, legend, with_legend
from app.reports.figures.palette import Palette
from app.reports.job import ReportJob
from app.reports.means import mean_of
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import number, score_title, short

MOST_FILLED = 3
"""Series whose histograms are filled: the colours of more would mix into one that is nobody's."""
QUANTILES: tuple[Literal["mean", "std", "p05", "p25", "p50", "p75", "p95"], ...] = (
    "mean",
    "std",
    "p05",
    "p25",
    "p50",
    "p75",
    "p95",
)


def distributions(job: ReportJob) -> list[Drawing]:
    """One a headline view; the runs of a series count together, over all samples alike."""
    return [
        _drawing(job, measure, view)
        for measure, views in headline_views(job.resolved).items()
        for view in views
        if any(_counts(series, measure, view) for series in job.measured_of(measure))
    ]


def _drawing(job: ReportJob, measure: str, view: str) -> Drawing:
    title = f"{score_title(measure, view)}: distribution over samples"
    return Drawing(
        name=f"distribution-{measure}-{view}".replace("_", "-").replace("@", "-").replace(".", "-"),
        section=measure,
        title=title,
        alt=f"Histogram. {_alt(job, measure, view)}",
        draw=partial(_draw, job, measure, view),
        tables=(_quantiles(job, measure, view), _bins(job, measure, view)),
        size=with_legend((4.4, 2.7), [series.name for series in job.series_of(measure)]),
    )


def _draw(job: ReportJob, measure: str, view: str, figure: Figure, palette: Palette) -> None:
    axes = figure.add_subplot(xlabel="score", ylabel="share of the samples")
    axes.grid(axis="y")
    lowest, filled = 0.0, len(job.series_of(measure)) <= MOST_FILLED
    for place, series in enumerate(job.series_of(measure)):
        counts = _counts(series, measure, view)
        if not counts:
            continue
        edges = _edges(series, measure, view)
        shares = [count / sum(counts) for count in counts]
        if filled:
            axes.stairs(shares, edges, color=palette.colour(place), fill=True, alpha=0.14, linewidth=0)
        axes.stairs(shares, edges, color=palette.colour(place), linestyle=palette.dash(place), label=short(series.name))
        lowest = min([lowest, *(edge for edge, count in zip(edges, counts, strict=False) if count)])
    axes.set_xlim(lowest, 1)
    legend(figure, [series.name for series in job.series_of(measure)])


def _counts(series: Series, measure: str, view: str) -> list[int]:
    """Added up over the models of the series; empty where nothing is defined."""
    histograms = [row["histogram"]["counts"] for row in series.summaries(measure, view, group="micro")]
    added = [sum(counts) for counts in zip(*histograms, strict=True)]
    return added if any(added) else []


def _edges(series: Series, measure: str, view: str) -> list[float]:
    """Of the bins, the same for every series."""
    histogram = series.summaries(measure, view, group="micro")[0]["histogram"]
    low, bins = histogram["low"], len(histogram["counts"])
    step = (histogram["high"] - low) / bins
    return [low + step * index for index in range(bins + 1)]


def _alt(job: ReportJob, measure: str, view: str) -> str:
    rows = [(series, series.summaries(measure, view, group="micro")) for series in job.measured_of(measure)]
    told = [
        f"{series.name}: median {number(mean_of(found, 'p50'), 2)}, "
        f"90% from {number(mean_of(found, 'p05'), 2)} to {number(mean_of(found, 'p95'), 2)}"
        + (", means over its runs" if len(found) > 1 else "")
        for series, found in rows
        if found
    ]
    return "; ".join(told)


def _quantiles(job: ReportJob, measure: str, view: str) -> Table:
    rows = [
        (_owner(series, row), str(row["n"]), *(number(row[name]) for name in QUANTILES))
        for series in job.measured_of(measure)
        for row in series.summaries(measure, view, group="micro")
    ]
    head = (job.noun, "n", "mean", "std", "5%", "25%", "median", "75%", "95%")
    return Table(f"{score_title(measure, view)}: quantiles over all samples", head, tuple(rows))


def _bins(job: ReportJob, measure: str, view: str) -> Table:
    """What the figure draws; of the bins that are empty for all, none."""
    all_series = [series for series in job.measured_of(measure) if _counts(series, measure, view)]
    columns = [_counts(series, measure, view) for series in all_series]
    filled = [place for place, counts in enumerate(zip(*columns, strict=True)) if any(counts)]
    edges = _edges(all_series[0], measure, view)
    rows = tuple(
        (series.name, *(str(counts[place]) for place in filled))
        for series, counts in zip(all_series, columns, strict=True)
    )
    head = ("scores from", *(number(edges[place], 2) for place in filled))
    wide = number(edges[1] - edges[0], 2)
    caption = f"{score_title(measure, view)}: samples by score, all runs together; each column is {wide} wide"
    return Table(caption, head, rows)


def _owner(series: Series, row: Summary) -> str:
    names = dict(zip(series.model_ids, series.model_names(), strict=False))
    return names.get(row["model_id"] or "", series.name)
