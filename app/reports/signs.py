"""Signs of a shortcut, and what they do to a choice: no number speaks for a model that reads something else."""

from collections.abc import Iterator
from typing import NamedTuple

from app.domain.findings import Finding, Level
from app.reports.job import ReportJob
from app.reports.series_part import Series
from app.reports.words import counted, listed

FIRST = 3
"""As many are read at once; the rest folds away."""


class Signs(NamedTuple):
    """What exposes a series, the gravest first."""

    name: str
    first: list[str]
    more: list[str]


def signs(job: ReportJob) -> list[Signs]:
    """Of every series that any finding exposes."""
    found = [(series.name, list(_exposures(series))) for series in job.measured]
    return [Signs(name, sentences[:FIRST], sentences[FIRST:]) for name, sentences in found if sentences]


def advice(job: ReportJob) -> list[str]:
    """One sentence where anything is exposed, else none: that nothing was found is no clean bill of health."""
    exposed = {name: len(first) + len(more) for name, first, more in signs(job)}
    others = [series.name for series in job.measured if series.name not in exposed]
    if not exposed:
        return []
    told = listed([f"{name} ({counted(count, 'sign')} of a shortcut)" for name, count in exposed.items()])
    if job.kind == "audit":
        return [f"Look at what it reads before its numbers count: {told}."]
    if not others:
        return [f"Choose none of them by these numbers: {told}."]
    return [f"Do not choose {told} by these numbers; {listed(others)}: no sign found."]


def is_about(finding: Finding, model_id: str) -> bool:
    """Whether a finding exposes that model."""
    return finding["level"] == Level.EXPOSES and finding["evidence"]["model_id"] == model_id


def _exposures(series: Series) -> Iterator[str]:
    """Once each, though several runs may share one."""
    rows = series.document.get("findings", []) if series.document else []
    own = [row for row in rows if any(is_about(row, model_id) for model_id in series.model_ids)]
    yield from dict.fromkeys(row["text"] for row in own)
