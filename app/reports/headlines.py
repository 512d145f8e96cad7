"""The differences of a comparison's headline numbers, and what stands against reading too much into them."""

from app.domain.measures import lower_is_better
from app.domain.results.comparisons import DifferenceRow
from app.domain.results.radar import headline_views
from app.domain.results.totals import MACRO
from app.domain.vocabulary import GroupBy
from app.reports.job import ReportJob


def headline_differences(job: ReportJob) -> list[DifferenceRow]:
    """Of every pair of series, by the macro total of each headline view."""
    headlines = {(measure, view) for measure, views in headline_views(job.resolved).items() for view in views}
    rows = [] if job.comparison is None else job.comparison["differences"]
    return [
        row for row in rows if (row["group_by"], row["group"]) == MACRO and (row["measure"], row["view"]) in headlines
    ]


def group_differences(job: ReportJob, total: DifferenceRow) -> list[DifferenceRow]:
    """The rows by label and source beside the total of a pair of series."""
    same = {name: total[name] for name in ("first", "second", "measure", "view")}
    rows = [] if job.comparison is None else job.comparison["differences"]
    return [row for row in rows if row["group_by"] != GroupBy.TOTAL and same.items() <= row.items()]


def better(row: DifferenceRow) -> int:
    """The series that the difference favours, clear of chance or not."""
    second_is_lower = (row["difference"] or 0.0) < 0
    return row["second"] if second_is_lower == lower_is_better(row["measure"], row["view"]) else row["first"]


def clear_of_zero(row: DifferenceRow) -> bool:
    """Whether 0 lies outside the interval."""
    low, high = row["ci95_low"], row["ci95_high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def contradictions(job: ReportJob, total: DifferenceRow) -> list[DifferenceRow]:
    """The groups that the total hides, of those whose difference counts.

    They lie on the other side of 0 or, under a total that is not clear of chance, on both.
    """
    clear = [row for row in group_differences(job, total) if clear_of_zero(row) and not row["says_nothing"]]
    if total["favours"] is not None:
        return [row for row in clear if better(row) != total["favours"]]
    return clear if len({better(row) for row in clear}) > 1 else []
