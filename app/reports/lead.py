"""The first sentences of a comparison of two series: who is clearly better in what, of what counts."""

from collections.abc import Iterator

from app.domain.measures import spec_of
from app.domain.radar import headline_views
from app.domain.results.comparisons import DifferenceRow
from app.reports.headlines import contradictions, headline_differences
from app.reports.job import ReportJob
from app.reports.signs import advice
from app.reports.words import headline, listed


def lead(job: ReportJob) -> list[str]:
    """None for an audit, nor where there are more than two to choose from."""
    rows = [row for row in headline_differences(job) if row["difference"] is not None]
    return list(_sentences(job, rows)) if len(job.all_series) == 2 and rows else []


def _sentences(job: ReportJob, rows: list[DifferenceRow]) -> Iterator[str]:
    telling = [row for row in rows if not row["says_nothing"]]
    won = [[row for row in telling if row["favours"] == place] for place in range(2)]
    told = [
        f"{job.all_series[place].name} is clearly better in {listed(_names(job, won[place]))}"
        for place in range(2)
        if won[place]
    ]
    if told:
        reserve = "By the numbers alone" if advice(job) else "For other images of this kind"
        yield f"{reserve}, {', '.join(told)}."
    unclear = [row for row in telling if row["favours"] is None]
    if unclear:
        yield f"No difference that is clear of chance: {listed(_names(job, unclear))}."
    hiding = [row for row in telling if contradictions(job, row)]
    if hiding:
        where = listed(_names(job, hiding))
        yield f"Labels or sources contradict the total in {where}: see What stands out."


def _names(job: ReportJob, rows: list[DifferenceRow]) -> list[str]:
    """A measure by its title alone where all its headline views are meant."""
    headlines = headline_views(job.resolved)
    views: dict[str, list[str]] = {}
    for row in rows:
        views.setdefault(row["measure"], []).append(row["view"])
    return [
        name
        for measure, own in views.items()
        for name in (
            [spec_of(measure).title.lower()]
            if len(own) == len(headlines[measure])
            else [headline(measure, view) for view in own]
        )
    ]
