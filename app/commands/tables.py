"""The tables that people read."""

import re
from collections.abc import Callable, Iterable, Mapping

from rich.table import Table
from rich.text import Text

from app.commands.output import printable
from app.domain.measures import view_title
from salience_audit.errors import Json

COLOURS = {"passed": "green", "ready": "green", "succeeded": "green", "inconclusive": "yellow"} | dict.fromkeys(
    ("failed", "rejected"), "red"
)

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
"""A label or a source in a condition: other people's text."""

Columns = Mapping[str, Callable[[Json], object]]


def table(title: str, rows: Iterable[Json], columns: Columns) -> Table:
    """A column for each name, made of each row."""
    made = Table(title=title, title_justify="left", show_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        made.add_row(*(_cell(make(row)) for make in columns.values()))
    return made


def record(resource: Json, columns: Columns) -> Table:
    """One resource, a line for each column."""
    made = Table(show_header=False, show_edge=False, box=None)
    for name, make in columns.items():
        made.add_row(name, _cell(make(resource)))
    return made


def verdict_tables(audit: Json) -> list[Table]:
    """The conditions of an audit's gate; none where it names none."""
    if audit["verdict"] is None:
        return []
    columns: Columns = {
        "condition": lambda row: row["condition"],
        "outcome": lambda row: row["outcome"],
        "value": _judged,
        "limit": lambda row: row["threshold"],
        "why": lambda row: row["explanation"],
    }
    return [table(f"Gate {printable(audit['gate']['name'])}: {audit['verdict']}", audit["conditions"], columns)]


def _judged(row: Json) -> object:
    """What stands beside the limit: of a baseline's condition, whose limit is for the difference, that."""
    if "not worse than baseline" not in _QUOTED.sub("", row["condition"]):
        return row["value"]
    return f"{_number(row['difference'])} (difference)"


def results_tables(results: Json) -> list[Table]:
    """The macro means of every measure's views, and how well the models classify."""
    names = {_owner(model): model["name"] for model in results["models"]}
    totals = [row for row in results["summaries"] if (row["group_by"], row["group"]) == ("total", "macro")]
    measures: Columns = {
        "measure": lambda row: row["measure"],
        "view": lambda row: row["view"],
        "model": lambda row: names.get(_owner(row)) or view_title(row["view"]),
        "mean": lambda row: _greyed(row, row["mean"]),
        "95% interval": _interval,
        "control": lambda row: row["control_mean"],
        "skill": lambda row: row.get("skill"),
        "n": lambda row: row["n"],
        "undefined": lambda row: row["n_undefined"],
        "says nothing": lambda row: ", ".join(row.get("says_nothing", ())),
    }
    performance: Columns = {
        "images": lambda row: row["condition"],
        "model": lambda row: names[_owner(row)],
        "accuracy": lambda row: row["accuracy"],
        "AUROC": lambda row: row["auroc"],
    }
    findings: Columns = {
        "level": lambda row: row["level"],
        "code": lambda row: row["code"],
        "what": lambda row: row["text"],
    }
    first = [table("What to know first", results["findings"], findings)] if results.get("findings") else []
    measured = table("Measures", totals, measures)
    return [*first, measured, table("Performance", results["performance"], performance)]


def _owner(row: Json) -> str | None:
    """The subject; in results of earlier versions the model."""
    found: str | None = row.get("subject", row["model_id"])
    return found


def comparison_table(comparison: Json) -> Table:
    """Second side minus first, macro totals."""
    results = comparison["results"]
    sides = [_side(side) for side in results["sides"]]
    rows = [row for row in results["differences"] if (row["group_by"], row["group"]) == ("total", "macro")]
    columns: Columns = {
        "measure": lambda row: row["measure"],
        "view": lambda row: row["view"],
        "first": lambda row: f"{sides[row['first']]}: {_number(row['mean_first'])}",
        "second": lambda row: f"{sides[row['second']]}: {_number(row['mean_second'])}",
        "difference": lambda row: _greyed(row, row["difference"]),
        "95% interval": _interval,
        "p (Holm)": lambda row: row["p_holm"],
        "favours": lambda row: None if row["favours"] is None or row.get("says_nothing") else sides[row["favours"]],
        "says nothing": lambda row: ", ".join(row.get("says_nothing", ())),
    }
    return table(f"Comparison {comparison['id']}", rows, columns)


def _side(side: Json) -> str:
    models = ", ".join(model["name"] for model in side["models"])
    return side["audit_name"] or models


def _greyed(row: Json, value: object) -> Text:
    """A number of a row, grey where the row says nothing."""
    return Text(_number(value), style="bright_black" if row.get("says_nothing") else "")


def _interval(row: Json) -> str:
    """A dash where too few samples give none."""
    return "-" if row["ci95_low"] is None else f"{_number(row['ci95_low'])} to {_number(row['ci95_high'])}"


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    text = _number(value) if isinstance(value, float) or value is None else printable(str(value))
    return Text(text, style=COLOURS.get(text, ""))


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "-" if value is None else str(value)
