"""What the cells of a table say, of whatever kind it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.samples.several_labels import SEPARATOR, joined
from app.domain.stored_text import is_storable
from app.errors import InputFailure

MAX_CHARACTERS = 1024
"""Of a value: folders' names, which may say the same, are no longer."""
_ZEROS, _ONES = frozenset({"0", "0.0", "false", "no"}), frozenset({"1", "1.0", "true", "yes"})


def text_of(line: int, value: object) -> str | None:
    """A value as text: numbers as they are written, 3.0 as 3; None where it says nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int | float):
        return str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not is_storable(value):
        raise invalid(line, "a value is not text that can be stored")
    if len(value) > MAX_CHARACTERS:
        raise invalid(line, f"a value has more than {MAX_CHARACTERS} characters")
    return value.strip() or None


def labels_of(line: int, value: object) -> str | None:
    """A label as text, or several of them: a list as ``a|b``, an empty one as known to have none."""
    if not isinstance(value, list):
        return text_of(line, value)
    found = [text_of(line, one) for one in value]
    if any(one is not None and SEPARATOR in one for one in found):
        raise invalid(line, f"of several labels none may hold {SEPARATOR!r}")
    label = joined(one for one in found if one is not None)
    if len(label) > MAX_CHARACTERS:
        raise invalid(line, f"its labels have more than {MAX_CHARACTERS} characters")
    return label


def label_of_columns(line: int, fields: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """Of columns of 0 and 1, one for each label: the names of those that are 1."""
    return labels_of(line, [name for name in names if _is_one(line, name, fields.get(name))])


def _is_one(line: int, name: str, value: object) -> bool:
    text = (text_of(line, value) or "0").casefold()
    if text not in _ZEROS | _ONES:
        raise invalid(line, f"{name[:200]!a} is {text[:50]!a}, and as a column of a label neither 0 nor 1")
    return text in _ONES


def invalid(line: int, what: str) -> InputFailure:
    return InputFailure("manifest-invalid", f"Line {line} of the manifest: {what}.")
