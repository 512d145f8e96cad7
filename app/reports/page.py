"""The page: figures, tables and words in one HTML document that loads nothing."""

import json
from base64 import b64encode
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from app import __version__
from app.domain.radar import radar_columns
from app.domain.vocabulary import MeasureName
from app.reports import overview
from app.reports.figures import Drawing, drawings
from app.reports.figures.palette import DARK_SERIES, LIGHT
from app.reports.figures.rendering import inline_svg
from app.reports.findings import findings, lead
from app.reports.job import ReportJob
from app.reports.words import QUESTIONS, SYMBOLS, TITLES, number


def page(job: ReportJob) -> str:
    """The whole report as HTML."""
    made = list(drawings(job).values())
    return (
        _environment()
        .get_template("report.html")
        .render(
            job=job,
            style=Markup(_file("report.css")),  # noqa: S704 - a file of ours
            light=LIGHT.series,
            dark=DARK_SERIES,
            lead=lead(job),
            findings=findings(job),
            cards=overview.five_numbers(job),
            accuracy=overview.accuracy_table(job),
            differences=overview.difference_table(job),
            overview=_figures(made, "overview"),
            measures=[_section(job, made, measure) for measure in radar_columns(job.resolved)],
            undefined=overview.undefined_table(job),
            provenance=overview.provenance(job),
            protocol=json.dumps(job.protocol, indent=2),
            version=__version__,
        )
    )


def _section(job: ReportJob, made: list[Drawing], measure: MeasureName) -> dict[str, Any]:
    return {
        "id": measure,
        "title": TITLES[measure],
        "symbol": SYMBOLS[measure],
        "question": QUESTIONS[measure],
        "figures": _figures(made, measure),
        "tables": list(overview.group_tables(job, measure)),
        "exhibits": [exhibit for exhibit in job.gallery.exhibits if exhibit.measure == measure],
    }


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
    return environment


def _file(name: str) -> str:
    return (files("app.reports") / "templates" / name).read_text(encoding="utf-8")
