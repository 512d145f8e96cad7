"""Tables of HTML, for notebooks. Names and labels are other people's text."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

GREY = ' style="color: #888"'


def fields_table(title: str, fields: Mapping[str, Any]) -> str:
    """A line for each field."""
    lines = (f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in fields.items())
    return f"<table><caption>{escape(title)}</caption>{''.join(lines)}</table>"


def rows_table(title: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], total: int | None = None) -> str:
    """A line for each row, greyed where it says nothing; ``total`` is how many there are, where fewer are shown."""
    lines = [_line(row, columns) for row in rows]
    more = f" ({len(lines)} of {total})" if total is not None and total > len(lines) else ""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    return f"<table><caption>{escape(title)}{more}</caption><tr>{head}</tr>{''.join(lines)}</table>"


def _line(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    cells = "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns)
    return f"<tr{GREY if row.get('says_nothing') else ''}>{cells}</tr>"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return escape(", ".join(map(str, value)))
    return f"{value:.4f}" if isinstance(value, float) else escape(str(value))
