"""The first sentences of a comparison of two series: who is clearly better in what, and what stands against it."""

from collections.abc import Iterator

from app.domain.measures import spec_of
from app.domain.radar import headline_views
from app.reports.headlines import contradictions, headline_differences, run_ranges, says_little
from app.reports.job import Json, ReportJob
from app.reports.words import capital, headline, listed


def lead(job: ReportJob) -> list[str]:
    """None for an audit, nor where there are more than two to choose from."""
    rows = [row for row in headline_differences(job) if row["difference"] is not None]
    return list(_sentences(job, rows)) if len(job.all_series) == 2 and rows else []


def _sentences(job: ReportJob, rows: list[Json]) -> Iterator[str]:
    idle = [row for row in rows if says_little(job, row)]
    telling = [row for row in rows if row not in idle]
    won = [[row for row in telling if row["favours"] == place] for place in range(2)]
    # What holds for every run comes first.
    order = sorted(range(2), key=lambda place: -sum(not run_ranges(job, row) for row in won[place]))
    told = [
        f"{job.all_series[place].name} is clearly better in {_in(job, won[place])}" for place in order if won[place]
    ]
    if told:
        yield f"For other images of this kind, {', '.join(told)}."
    unclear = [row for row in telling if row["favours"] is None]
    if unclear:
        yield f"No difference that is clear of chance: {listed(_names(job, unclear))}."
    if idle:
        yield f"{capital(listed(_names(job, idle)))} does not count: neither side stands above its control."
    hiding = [row for row in telling if contradictions(job, row)]
    if hiding:
        names = listed(_names(job, hiding))
        yield f"Labels or sources contradict the total in {names}: see What stands out."


def _in(job: ReportJob, rows: list[Json]) -> str:
    """The measures, those whose runs overlap with a word about it."""
    apart = [row for row in rows if not run_ranges(job, row)]
    overlapping = [row for row in rows if row not in apart]
    return listed([*_names(job, apart), *(f"{name} (but the runs overlap)" for name in _names(job, overlapping))])


def _names(job: ReportJob, rows: list[Json]) -> list[str]:
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
