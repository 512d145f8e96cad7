"""A number that says nothing is shown, greyed, with the reason: in the report, and on the command line."""

import pytest
from rich.text import Text

from app.commands.tables import results_tables
from app.domain.results.findings import Level
from app.reports.figures.polygon import radar_figure, silences
from app.reports.findings import findings
from app.reports.groups import group_tables
from app.reports.job import ReportJob
from app.reports.overview import five_numbers
from app.reports.page import page
from tests.reports import full_reports

REASON = "it does not lie above its control"


@pytest.fixture(scope="module")
def job() -> ReportJob:
    """One network; of geometry's mean over all transformations nothing can be said."""
    made = full_reports.audit(["net"])
    (document,) = made.documents.values()
    for row in document["summaries"]:
        silent = (row["measure"], row["view"], row["group"]) == ("geometric_resilience", "all", "macro")
        row["says_nothing"] = ["not-above-control"] if silent else []
    document["findings"] = [
        {"code": "x", "level": Level.SAYS_NOTHING, "text": "Geometry says nothing.", "evidence": {}}
    ]
    return made


def test_the_page_greys_it_and_says_why(job: ReportJob) -> None:
    cards = {card["measure"]: card["numbers"][0]["series"][0] for card in five_numbers(job) if card["numbers"]}
    assert cards["geometric_resilience"]["silent"] == REASON
    assert cards["entropy"]["silent"] == ""
    (table,) = group_tables(job, "geometric_resilience")
    reasons = {row[0]: getattr(row[1], "reason", None) for row in table.rows}
    assert [name for name, found in reasons.items() if found] == ["total, every source alike (macro)"]
    shown = page(job)
    assert shown.count(f"says nothing: {REASON}") == 2, "table, radar's table"
    assert shown.count(f"says nothing here: {REASON}") == 1, "card"
    assert '<span class="big silent">' in shown


def test_the_radar_leaves_a_gap_and_the_findings_come_first(job: ReportJob) -> None:
    assert silences(job, job.all_series[0], "geometric_resilience") == ["not-above-control"]
    (drawing,) = radar_figure(job)
    greyed = {row[0]: hasattr(row[1], "reason") for row in drawing.tables[0].rows}
    assert [name for name, found in greyed.items() if found] == ["Geometric resilience"]
    assert findings(job)[0][1][0] == "Geometry says nothing."


def test_the_command_line_shows_control_reason_and_findings(job: ReportJob) -> None:
    (document,) = job.documents.values()
    first, measures, _ = results_tables(dict(document))
    assert list(first.columns[2].cells) == [Text("Geometry says nothing.")]
    heads = [str(column.header) for column in measures.columns]
    assert {"control", "says nothing"} <= set(heads)
    means = list(measures.columns[heads.index("mean")].cells)
    greyed = [str(cell.style) == "bright_black" for cell in means if isinstance(cell, Text)]
    assert sum(greyed) == 1
