"""The numbers that a report opens with: the five of each series, their differences, and accuracy."""

from typing import TypedDict

from app.domain.measures import spec_of, view_title
from app.domain.results.comparisons import DifferenceRow
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import reason
from app.domain.results.performance import Performance
from app.domain.results.radar import headline_views
from app.domain.vocabulary import CLEAN
from app.reports.headlines import headline_differences
from app.reports.job import ReportJob
from app.reports.lights import Light, light
from app.reports.means import mean_of
from app.reports.pairs import pair_cells, pair_head, pair_title, pair_words
from app.reports.series_part import Series
from app.reports.tables import Table
from app.reports.words import (
    NO_NUMBER,
    Greyed,
    counted,
    interval,
    number,
    p_value,
    score_title,
    signed,
)

WITHOUT_RUNS = "Stability compares several training runs of one recipe, and here every side is a single model."


class SeriesNumber(TypedDict):
    """A headline number of one series, as a card shows it."""

    name: str
    mean: str
    interval: str
    spread: str | None
    control: str | None
    defined: str | None
    silent: str
    light: Light


class ViewNumbers(TypedDict):
    """A headline view, and the number of every series."""

    view: str
    series: list[SeriesNumber]


class Card(TypedDict):
    """One measure; ``reason`` says why it has no number."""

    measure: str
    title: str
    direction: str
    numbers: list[ViewNumbers]
    reason: str | None


def five_numbers(job: ReportJob) -> list[Card]:
    """One card a measure: its headline views, and each series' number with its interval and the spread of its runs."""
    return [
        {
            "measure": measure,
            "title": spec_of(measure).title,
            "direction": spec_of(measure).direction,
            "numbers": []
            if job.is_of_single_models(measure)
            else [
                {
                    "view": view_title(view),
                    "series": [_headline(job, series, measure, view) for series in job.series_of(measure)],
                }
                for view in views
            ],
            "reason": WITHOUT_RUNS if job.is_of_single_models(measure) else None,
        }
        for measure, views in headline_views(job.resolved).items()
    ]


def _headline(job: ReportJob, series: Series, measure: str, view: str) -> SeriesNumber:
    row = series.total(measure, view)
    control = mean_of(series.summaries(measure, view), "control_mean")
    return {
        "name": series.name,
        "mean": number(row.get("mean")),
        "interval": interval(row.get("ci95_low"), row.get("ci95_high")),
        "spread": number(row.get("spread")) if row.get("spread") is not None else None,
        "control": None if control is None else number(control),
        "defined": _defined(series, measure, view),
        "silent": reason(series.says_nothing(measure, view)),
        "light": light(job, series, measure, view),
    }


def _defined(series: Series, measure: str, view: str) -> str | None:
    """How many samples the number stands on, where some are undefined; of several runs, the fewest and the most."""
    total = series.total(measure, view)
    rows = [total] if "n" in total else series.summaries(measure, view)
    if not any(row["n_undefined"] for row in rows):
        return None
    fewest, most = min(row["n"] for row in rows), max(row["n"] for row in rows)
    shown = str(most) if fewest == most else f"{fewest} to {most}"
    return f"{shown} of {counted(rows[0]['n'] + rows[0]['n_undefined'], 'sample')}"


def accuracy_table(job: ReportJob) -> Table | None:
    """Whether they are equally accurate, to begin with."""
    rows = [
        (_model_name(series, row), str(row["n"]), number(row["accuracy"]), number(row["auroc"]))
        for series in job.measured
        for row in series.performance(CLEAN)
    ]
    head = ("model", "n", "accuracy", "AUROC")
    return Table("Decisions on the clean images", head, tuple(rows)) if rows else None


def no_decisions(job: ReportJob) -> str | None:
    """Why there is neither accuracy nor AUROC."""
    reasons = [str(document["performance_reason"]) for document in job.documents.values() if _reasoned(document)]
    return f"Neither accuracy nor AUROC: {reasons[0]}" if reasons else None


def _reasoned(document: ResultsDocument) -> bool:
    return bool(document.get("performance_reason")) and not document["performance"]


def _model_name(series: Series, row: Performance) -> str:
    return dict(zip(series.model_ids, series.model_names(), strict=False)).get(row["model_id"], series.name)


def difference_table(job: ReportJob) -> Table | None:
    """Second minus first, headline views, with the corrected p-values."""
    if job.comparison is None:
        return None
    rows = tuple(
        (
            score_title(row["measure"], row["view"]),
            *pair_cells(job, row),
            number(row["mean_first"]),
            number(row["mean_second"]),
            Greyed.of(signed(row["difference"]), row["says_nothing"]),
            interval(row["ci95_low"], row["ci95_high"]),
            p_value(row["p_holm"]),
            _better(job, row),
        )
        for row in headline_differences(job)
    )
    head = ("measure", *pair_head(job), "difference", "95% interval", "p (Holm)", "better")
    statistics = job.comparison["statistics"]
    of, family = pair_title(job, statistics["difference"]), statistics["family_size"]
    caption = (
        f"Paired differences: {of}. Interval: {statistics['interval']}. p: {statistics['test']}, "
        f"corrected by Holm over {family} tests; better where p is under {statistics['alpha']}."
    )
    return Table(caption, head, rows, words=(*pair_words(job), len(head) - 1))


def _better(job: ReportJob, row: DifferenceRow) -> str:
    return NO_NUMBER if row["favours"] is None or row["says_nothing"] else job.all_series[row["favours"]].name
