"""Where labels or sources of a comparison say otherwise than the total, in sentences."""

from collections.abc import Iterator

from app.domain.results.comparisons import DifferenceRow
from app.reports.headlines import better, contradictions, headline_differences
from app.reports.job import ReportJob
from app.reports.words import capital, headline, interval, listed, signed

MOST_NAMED = 3


def contrasts(job: ReportJob) -> Iterator[str]:
    """Of two series where labels or sources contradict the total, with numbers; of more, how many differences count.

    What a total says stands in the table of paired differences.
    """
    rows = [row for row in headline_differences(job) if row["difference"] is not None]
    hiding = [row for row in rows if contradictions(job, row) and not row["says_nothing"]]
    if len(job.all_series) == 2:
        yield from (_contradiction(job, row) for row in hiding)
    elif rows:
        telling = [row for row in rows if row["favours"] is not None and not row["says_nothing"]]
        yield f"{len(telling)} of {len(rows)} headline differences count and are clear of chance; the table names them."
        if hiding:
            yield (
                f"In {len(hiding)} of {len(rows)} headline differences labels or sources contradict the total; "
                "the tables of paired differences under each measure show where."
            )


def _contradiction(job: ReportJob, total: DifferenceRow) -> str:
    rows = sorted(contradictions(job, total), key=lambda row: -abs(row["difference"] or 0.0))
    told = [
        (job.all_series[place].name, _groups([row for row in rows if better(row) == place]))
        for place in dict.fromkeys(better(row) for row in rows)
    ]
    what = capital(headline(total["measure"], total["view"]))
    if total["favours"] is not None:
        total_name, (name, groups) = job.all_series[total["favours"]].name, told[0]
        return f"{what} turns round: {total_name} does better in total, but {name} for {groups}."
    (name, groups), (other, other_groups) = told
    return (
        f"{what} shows no clear difference in total, but {name} does better for {groups}, "
        f"and {other} for {other_groups}."
    )


def _groups(rows: list[DifferenceRow]) -> str:
    """The largest differences; signs are those of the table, second series minus first."""
    named = [
        f"{row['group_by']} {row['group']} ({signed(row['difference'])}, "
        f"95% {interval(row['ci95_low'], row['ci95_high'])})"
        for row in rows[:MOST_NAMED]
    ]
    return listed([*named, *([f"{len(rows) - MOST_NAMED} more"] if len(rows) > MOST_NAMED else [])])
