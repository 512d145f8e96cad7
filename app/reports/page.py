"""The page: figures, tables and words in one HTML document that loads nothing."""

import json
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from itertools import count
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from app import __version__
from app.domain.measures import spec_of
from app.domain.results.radar import headline_views
from app.reports import groups, overview
from app.reports.conclusion import conclusion
from app.reports.figures import Drawing, drawings
from app.reports.figures.palette import DARK_SERIES, LIGHT
from app.reports.figures.places import NAME as PLACES
from app.reports.figures.rendering import inline_svg
from app.reports.figures.roc import decision_tables, why_no_curve
from app.reports.findings import findings, rules
from app.reports.job import ReportJob
from app.reports.provenance import provenance, undefined_table
from app.reports.signs import signs
from app.reports.tables import Table, breaks
from app.reports.words import counted, number

NO_DIGEST = "0" * 64
"""Stands where the page's own digest will."""


def page(job: ReportJob) -> str:
    """The whole report as HTML."""
    made = list(drawings(job).values())
    return _with_digest(
        _environment()
        .get_template("report.html")
        .render(
            job=job,
            style=Markup(_file("report.css")),  # noqa: S704 - a file of ours
            light=LIGHT.series,
            dark=DARK_SERIES,
            conclusion=conclusion(job),
            signs=signs(job),
            places=_figures(made, PLACES),
            findings=findings(job),
            rules=rules(job),
            cards=overview.five_numbers(job),
            accuracy=overview.accuracy_table(job),
            no_decisions=overview.no_decisions(job),
            differences=overview.difference_table(job),
            overview=_figures(made, "overview"),
            measures=[_section(job, made, measure) for measure in headline_views(job.resolved)],
            undefined=undefined_table(job),
            provenance=provenance(job),
            caveats=caveats(job),
            protocol=json.dumps(job.protocol, indent=2),
            version=__version__,
            digest=NO_DIGEST,
            numbers=count(1),  # of the tables
            next=next,
        )
    )


def _with_digest(text: str) -> str:
    """Whoever has a copy, on paper too, can tell whether a file is that page."""
    digest = sha256(text.encode()).hexdigest()
    head, _, tail = text.rpartition(NO_DIGEST)
    return f"{head}{digest}{tail}"


def caveats(job: ReportJob) -> list[str]:
    """What is to be known of the images before the numbers are read: of the data set, then of each audit."""
    of_audits = [
        f"{facts.name}: {note}" if len(job.audits) > 1 else note
        for facts in job.audits.values()
        for note in facts.notes
    ]
    of_comparison = job.comparison.get("notes", []) if job.comparison else []
    return list(dict.fromkeys([*of_comparison, *job.dataset_notes, *of_audits]))


def _section(job: ReportJob, made: list[Drawing], measure: str) -> dict[str, Any]:
    decided = "roc" in spec_of(measure).figures
    reason = overview.WITHOUT_RUNS if job.is_of_single_models(measure) else None
    return {
        "id": measure,
        "reason": reason,
        "title": spec_of(measure).title,
        "subscript": spec_of(measure).symbol,
        "question": spec_of(measure).question,
        "figures": _figures(made, measure),
        "tables": [] if reason else _tables(job, measure),
        "decisions": decision_tables(job, spec_of(measure)) if decided else [],
        "no_curve": why_no_curve(job) or overview.no_decisions(job) if decided else None,
        "exhibits": [exhibit for exhibit in job.gallery.exhibits if exhibit.measure == measure],
    }


def _tables(job: ReportJob, measure: str) -> list[Table]:
    kinds = (groups.group_tables, groups.kept_and_flipped, groups.difference_tables)
    return [table for tables in kinds for table in tables(job, measure)]


def _figures(made: list[Drawing], section: str) -> list[dict[str, Any]]:
    # The SVG is matplotlib's, and its texts are escaped there.
    return [
        {"drawing": drawing, "svg": Markup(inline_svg(drawing))}  # noqa: S704
        for drawing in made
        if drawing.section == section
    ]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    templates = {name: _file(name) for name in ("report.html", "parts.html")}
    environment = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    environment.filters["number"] = number
    environment.filters["counted"] = counted
    environment.filters["breaks"] = breaks
    return environment


def _file(name: str) -> str:
    return (files("app.reports") / "templates" / name).read_text(encoding="utf-8")
