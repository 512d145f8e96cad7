"""Labels that a data set without any seems to have somewhere: told with the ``columns`` that would use them."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.samples.table_columns import Columns
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


def table_suggestions(tables: Iterable[tuple[ArchiveEntry, Mapping[str, Any]]]) -> list[str]:
    """For tables, with their first record, that have a column of paths and one of labels, or a label a column."""
    return [suggestion for table, first in tables if (suggestion := _table_suggestion(table, first)) is not None]


def _table_suggestion(table: ArchiveEntry, first: Mapping[str, Any]) -> str | None:
    columns = Columns().resolved(first)
    path = columns.path or _first_of(first, _LIKELY_PATHS)
    label = columns.label or _first_of(first, _LIKELY_LABELS)
    one_hot = None if label is not None else _one_hot({name: first[name] for name in first if name != path})
    if path is None or path == label or (label is None and one_hot is None):
        return None
    what = f"The table {table.name!a} seems to hold labels, which were not used."
    return suggest(Columns(file=table.name, path=path, label=label, one_hot=one_hot), what)


def _first_of(names: Iterable[str], likely: frozenset[str]) -> str | None:
    return next((name for name in names if name.casefold() in likely), None)


def _one_hot(first: Mapping[str, Any]) -> list[str] | None:
    """The columns of 0 and 1, where there are several, of which one is 1."""
    found = {name: str(value) for name, value in first.items() if str(value) in {"0", "1", "0.0", "1.0"}}
    is_one_hot = len(found) > 1 and sum(value.startswith("1") for value in found.values()) == 1
    return list(found) if is_one_hot else None


_LIKELY_LABELS = frozenset(
    {"breed", "species", "diagnosis", "dx", "y", "labels", "classes", "tag", "categoryid", "level"}
)
_LIKELY_PATHS = frozenset({"image_id", "id", "name", "fname"})
