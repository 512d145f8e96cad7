"""How tables name the pair of series that a difference is of: once, in the caption, where there are only two."""

from app.domain.results.comparisons import DifferenceRow
from app.reports.job import ReportJob
from app.reports.words import MINUS


def pair(job: ReportJob, row: DifferenceRow) -> str:
    """The second minus the first."""
    return f"{job.all_series[row['second']].name} {MINUS} {job.all_series[row['first']].name}"


def pair_title(job: ReportJob, rule: str) -> str:
    """For a caption; ``rule`` says how any pair is taken."""
    if len(job.all_series) != 2:
        return rule
    first, second = job.all_series
    return f"{second.name} {MINUS} {first.name}, {rule}"


def pair_head(job: ReportJob) -> tuple[str, ...]:
    """The columns of both means, before them that of the pair."""
    names = tuple(series.name for series in job.all_series)
    return names if len(names) == 2 else ("difference of", "first", "second")


def pair_cells(job: ReportJob, row: DifferenceRow) -> tuple[str, ...]:
    """What stands under the first of these heads, where it is not a series' name."""
    return () if len(job.all_series) == 2 else (pair(job, row),)


def pair_words(job: ReportJob) -> tuple[int, ...]:
    """The place of the column of pairs, behind one other."""
    return () if len(job.all_series) == 2 else (1,)
