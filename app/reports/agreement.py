"""Agreement with map sets as a table: every similarity with each of them, and what chance gives."""

from collections.abc import Iterator

from app.domain.measures import spec_of
from app.domain.measures.spec import AgainstGiven
from app.domain.similarities import SIMILARITIES
from app.reports.job import ReportJob, Series, mean_of
from app.reports.tables import Table
from app.reports.words import NO_NUMBER, Greyed, interval, number


def given_tables(job: ReportJob, measure: str) -> Iterator[Table]:
    """One table, where the measure compares with map sets: the headline alone is one similarity of many."""
    columns = [one for one in job.resolved.columns() if one.measure == measure and one.given is not None]
    rows = tuple(
        (_named(job, column.given), *(_cell(series, measure, column.view) for series in job.measured))
        for column in columns
        if column.given is not None
    )
    if rows:
        caption = (
            f"{spec_of(measure).title} with map sets: mean and 95% interval, and the mean with another sample's map"
        )
        yield Table(caption, ("similarity", *(series.name for series in job.measured)), rows)


def _named(job: ReportJob, given: AgainstGiven) -> str:
    """``CC with annotator-1``."""
    document = next(iter(job.documents.values()))
    names = [one["name"] for one in document.get("map_sets", [])]
    which = "the mean of all others" if given.map_set is None else names[given.map_set]
    lower = ", lower is closer" if SIMILARITIES[given.similarity].lower_is_closer else ""
    return f"{SIMILARITIES[given.similarity].title} with {which}{lower}"


def _cell(series: Series, measure: str, view: str) -> str:
    """Of several runs, the means over them."""
    rows = series.summaries(measure, view)
    mean, chance = mean_of(rows, "mean"), mean_of(rows, "control_mean")
    if mean is None:
        return NO_NUMBER
    around = f" ({interval(rows[0]['ci95_low'], rows[0]['ci95_high'])})" if len(rows) == 1 else ""
    by_chance = "" if chance is None else f"; chance {number(chance)}"
    return Greyed.of(f"{number(mean)}{around}{by_chance}", series.says_nothing(measure, view))
