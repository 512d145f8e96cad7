"""Labels that a data set without any seems to have somewhere: told with the ``columns`` that would use them."""

import json
import re
from collections import Counter
from collections.abc import Iterable

from app.domain.table_columns import Columns
from app.imaging.entries import ArchiveEntry

_NUMBERED = re.compile(r"(?P<label>[^\W\d][^\d]*?)(?P<joint>[ ._-]*\(?)\d+\)?\.[^.]+")
_MOST_LABELS = 200


def name_pattern(names: Iterable[str]) -> str | None:
    """How files are named whose names begin with labels, such as ``cat.0.jpg``; None where they do not.

    Every name must have the form, and there must be several labels of several images.
    """
    joints: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for name in names:
        match = _NUMBERED.fullmatch(name.rpartition("/")[2])
        if match is None or len(labels) > _MOST_LABELS:
            return None
        joints[match["joint"]] += 1
        labels[match["label"]] += 1
    if len(labels) < 2 or min(labels.values()) < 2 or len(joints) > 1:
        return None
    joint = next(iter(joints))
    return f"{{label}}{joint}#" + (")" if "(" in joint else "") + ".*"


def suggest(columns: Columns, what: str) -> str:
    """A note."""
    document = json.dumps(columns.model_dump(exclude_none=True))
    return f"{what} To use them, register the data set with columns: {document}"


def table_suggestions(tables: list[tuple[ArchiveEntry, list[str]]]) -> list[str]:
    """For tables, with the names of their columns, that have one of paths and one of labels."""
    return [suggestion for table, header in tables if (suggestion := _table_suggestion(table, header)) is not None]


def _table_suggestion(table: ArchiveEntry, header: list[str]) -> str | None:
    columns = Columns().resolved(header)
    path = columns.path or next(
        (name for name in header if name.casefold() in {"image_id", "id", "name", "fname"}), None
    )
    label = columns.label or next((name for name in header if name.casefold() in _LIKELY_LABELS), None)
    if path is None or label is None or path == label:
        return None
    what = f"The table {table.name!a} seems to hold labels; it is no manifest by its name, and was not used."
    return suggest(Columns(file=table.name, path=path, label=label), what)


_LIKELY_LABELS = {"breed", "species", "diagnosis", "dx", "y", "labels", "classes", "tag", "categoryid", "level"}
