"""What stands out, in words made from the numbers: nothing is said that no number says."""

from collections.abc import Iterator

from app.domain.findings import Level
from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.results.meaning import FEWEST_SAMPLES, Silence
from app.domain.results.origins import DEVICE_CLASS, differing_origins
from app.domain.results.radar import headline_views
from app.domain.results.summaries import Summary
from app.domain.vocabulary import CLEAN
from app.reports.contrasts import contrasts
from app.reports.job import ReportJob
from app.reports.means import mean_of, mean_of_defined
from app.reports.series_part import Series
from app.reports.words import capital, counted, headline, listed, number, share

EQUAL_ACCURACY = 0.02
"""Series whose accuracies lie no further apart are called equally accurate."""
POINTS = round(100 * EQUAL_ACCURACY)
ORIGIN = "Small differences may come from there."
COMPARED = (
    "Clearly better: p under 0.05 in the paired test, corrected by Holm for all tests of the comparison. A difference "
    "says nothing where either side's number does, or where the runs overlap: a run of one side lies within the range "
    "of the other side's runs. A label or source contradicts the "
    "total: its 95% interval lies on the other side of 0, or, where the total shows no clear difference, such "
    "intervals lie on both sides."
)
RULES = (
    "A label or source is worst: its 95% interval lies wholly on the worse side of the total's. Intervals of labels "
    f"and sources are not corrected for their number. Equal accuracy: at most {POINTS} points apart."
)


def rules(job: ReportJob) -> str:
    """The thresholds behind the sentences."""
    about = (
        "How these sentences come about. Intervals and tests are about the choice of images: they hold for other "
        "images of this kind and these very models; how much other training runs differ, the spread over runs shows."
    )
    return " ".join([about, *([COMPARED] if job.comparison else []), RULES])


def findings(job: ReportJob) -> list[tuple[str, list[str]]]:
    """Sentences under headings: of all series together, then of each."""
    together = [*_first(job), *_accuracy(job), *contrasts(job), *_origins(job)]
    of_series = [(series.name, [capital(one) for one in _groups(series, job.resolved)]) for series in job.measured]
    if len(job.all_series) == 1:
        return [("", together + [sentence for _, sentences in of_series for sentence in sentences])]
    return [found for found in (("", together), *of_series) if found[1]]


def _first(job: ReportJob) -> Iterator[str]:
    """The audits' findings as the API answers them, the gravest first; of several audits under their names.

    But for signs of a shortcut, which stand apart, and numbers that say nothing, which say so where they stand.
    """
    if job.comparison is not None:
        yield from (finding["text"] for finding in job.comparison.get("findings", []))
    for audit_id, document in job.documents.items():
        facts = job.audits.get(audit_id)
        name = f"{facts.name}: " if facts is not None and job.kind == "comparison" else ""
        rows = document.get("findings", [])
        found = [row for row in rows if row["level"] != Level.EXPOSES and row["code"] not in set(Silence)]
        yield from (f"{name}{finding['text']}" for finding in found)


def _accuracy(job: ReportJob) -> Iterator[str]:
    known = [(series.name, accuracy_of(series)) for series in job.measured]
    accuracies = [value for _, value in known if value is not None]
    if len(accuracies) < len(known) or not known:
        return
    told = listed([f"{share(value)} ({name})" if len(known) > 1 else share(value) for name, value in known])
    count = job.sample_count
    few = f" Of {counted(count, 'image')} that says little." if count < FEWEST_SAMPLES else ""
    if len(known) == 1:
        yield f"Clean accuracy is {told}.{few}"
    elif round(max(accuracies) - min(accuracies), 9) <= EQUAL_ACCURACY:
        yield f"Accuracy does not tell them apart: {told}, within {POINTS} points of each other.{few}"
    else:
        yield f"They are not equally accurate: {told}, more than {POINTS} points apart.{few}"


def accuracy_of(series: Series) -> float | None:
    """On the clean images, the mean over the series' models."""
    return mean_of_defined(row["accuracy"] for row in series.performance(CLEAN))


_MADE = {
    "processor": "made on different processors",
    "driver": "made with different drivers of the GPU",
    "cudnn": "made with different versions of cuDNN",
    "tf32": "made with different settings of TF32",
    DEVICE_CLASS: "run on different kinds of processors",
}
"""In words; anything else is the version of a package."""


def _origins(job: ReportJob) -> Iterator[str]:
    """What the audits of a comparison were not made alike with."""
    audits = {audit_id: job.audits[audit_id] for audit_id in job.documents if audit_id in job.audits}
    software = {audit_id: job.documents[audit_id].get("software") or {} for audit_id in audits}
    classes = {audit_id: str(audit.device_class) for audit_id, audit in audits.items()}
    for origin in differing_origins(software, classes):
        told = listed([f"{value} for {audits[audit_id].name}" for audit_id, value in origin["values"].items()])
        what = _MADE.get(origin["name"], f"made with different versions of {origin['name']}")
        yield f"The audits were {what}: {told}. {ORIGIN}"


def _groups(series: Series, protocol: Protocol) -> Iterator[str]:
    """The label or source of each headline view whose interval lies wholly on the worse side of the total's.

    Of those whose number counts.
    """
    for measure, views in headline_views(protocol).items():
        for view in views:
            worst = _worst_group(series, measure, view)
            if worst is not None:
                rows, total = series.summaries(measure, view, *worst), mean_of(series.summaries(measure, view), "mean")
                found = f"{number(mean_of(rows, 'mean'))} against {number(total)} in total"
                name, runs = " ".join(worst), ", apart in every run" if len(rows) > 1 else ""
                yield f"{headline(measure, view)} is worst for {name}: {found}{runs}."


def _worst_group(series: Series, measure: str, view: str) -> tuple[str, str] | None:
    """Of several runs, one that is apart in each of them: only the runs' own groups have intervals."""
    sign = 1 if lower_is_better(measure, view) else -1
    totals = {row["model_id"]: row for row in series.summaries(measure, view)}
    rows = {
        group: series.summaries(measure, view, *group)
        for group in series.groups()
        if not series.says_nothing(measure, view, *group)
    }
    apart = {
        group: sign * sum(row["mean"] or 0.0 for row in found)
        for group, found in rows.items()
        if found and len(found) == len(totals) and all(_apart(row, totals.get(row["model_id"]), sign) for row in found)
    }
    return max(apart, key=lambda group: apart[group], default=None)


def _apart(row: Summary, total: Summary | None, sign: int) -> bool:
    """Whether a group's interval lies wholly on the worse side of the total's; high is worse where ``sign`` is 1."""
    if total is None:
        return False
    own, bound = (row["ci95_low"], total["ci95_high"]) if sign > 0 else (row["ci95_high"], total["ci95_low"])
    return own is not None and bound is not None and sign * (own - bound) > 0
