"""The one sentence that a report opens with: what to choose by it, or that there is nothing to choose by."""

from app.domain.results.comparisons import DifferenceRow
from app.domain.results.meaning import FEWEST_SAMPLES
from app.reports.findings import EQUAL_ACCURACY, accuracy_of
from app.reports.headlines import headline_differences
from app.reports.job import ReportJob
from app.reports.signs import advice
from app.reports.words import counted, listed, share


def conclusion(job: ReportJob) -> str:
    """Signs of a shortcut come before every number; what nobody wins is said so."""
    exposed = advice(job)
    if exposed:
        return exposed[0]
    return _of_comparison(job) if job.comparison is not None else _of_audit(job)


def _of_audit(job: ReportJob) -> str:
    """Findings are those of the audit; an older one has none, and then nobody looked."""
    if job.sample_count < FEWEST_SAMPLES:
        return f"{counted(job.sample_count, 'image')} are too few to conclude anything."
    if job.noun != "model":
        return "Map sets alone: how focused each one's maps are and how far they agree. No model was looked at."
    if any("findings" not in document for document in job.documents.values()):
        return "One audit ranks nothing: compare it with others on the same images."
    return "No sign of a shortcut was found, which does not prove that there is none."


def _of_comparison(job: ReportJob) -> str:
    telling = [row for row in headline_differences(job) if row["favours"] is not None and not row["says_nothing"]]
    winners = [place for place in range(len(job.all_series)) if _wins(telling, place)]
    if len(winners) == 1:
        return _for(job, winners[0])
    if telling and len(job.all_series) == 2:
        return "No winner: each is clearly better in something. Which matters, these numbers do not say."
    return "No winner: do not choose by these numbers."


def _wins(telling: list[DifferenceRow], place: int) -> bool:
    """Better in something that counts, and worse in nothing."""
    own = [row for row in telling if place in {row["first"], row["second"]}]
    return bool(own) and all(row["favours"] == place for row in own)


def _for(job: ReportJob, place: int) -> str:
    name = job.all_series[place].name
    others = [series.name for other, series in enumerate(job.all_series) if other != place]
    chosen = f"Choose {name} by these numbers: nothing that counts speaks for {listed(others)}"
    return f"{chosen}{_less_accurate(job, place)}."


def _less_accurate(job: ReportJob, place: int) -> str:
    """The measures are for models that are equally accurate."""
    own = accuracy_of(job.all_series[place])
    known = [(value, series.name) for series in job.measured if (value := accuracy_of(series)) is not None]
    best = max(known, default=None)
    if own is None or best is None or best[0] - own <= EQUAL_ACCURACY:
        return ""
    return f", but it is less accurate ({share(own)} against {share(best[0])} of {best[1]})"
