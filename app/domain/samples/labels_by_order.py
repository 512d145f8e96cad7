"""Labels meet classes that have no names: by value where they are numbers, else in sorted order."""

import re
from collections import Counter
from collections.abc import Sequence

from app.domain.samples.label_mapping import WAY_OUT, How, LabelMapping

_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0+)?")
"""pandas writes the numbers of a column with gaps as 3.0."""


def without_names(labels: Sequence[str], class_count: int) -> LabelMapping:
    numbers = _whole_numbers(labels)
    if numbers is None:
        return by_text_order(labels, class_count, How.SORTED)
    if _written_alike(labels, class_count) and max(numbers.values()) < class_count and min(numbers.values()) >= 0:
        return LabelMapping(numbers, how=How.INDICES)
    in_order = sorted(labels) == sorted(labels, key=numbers.__getitem__)
    if in_order and len(labels) == class_count:
        return by_text_order(labels, class_count, How.SORTED)
    if len(labels) != class_count:
        detail = f"{_counts(labels, class_count)} and no class_names say which is which. {WAY_OUT}"
        return LabelMapping(None, detail, is_doubtful=True)
    orders = "as numbers and as text (ImageFolder sorts 10 before 2) they come in different orders"
    detail = f"The labels are numbers, and {orders}; no class_names say which is meant. {WAY_OUT}"
    return LabelMapping(None, detail, is_doubtful=True)


def _written_alike(labels: Sequence[str], class_count: int) -> bool:
    """Whether 0 to C - 1, written as these labels are, come in one order as numbers and as text."""
    widths = {len(label) for label in labels}
    padded = len(widths) == 1 and any(label.startswith("0") and len(label) > 1 for label in labels)
    width = widths.pop() if padded else 1
    return class_count <= 10 or (padded and len(str(class_count - 1)) <= width)


def _whole_numbers(labels: Sequence[str]) -> dict[str, int] | None:
    """None unless all are whole numbers, and no two of them the same one."""
    found = {label: _WHOLE.fullmatch(label.strip()) for label in labels}
    numbers = {label: int(match[1]) for label, match in found.items() if match is not None}
    distinct = Counter(numbers.values())
    return numbers if len(numbers) == len(labels) == len(distinct) else None


def by_number(labels: Sequence[str], class_count: int) -> LabelMapping:
    """A number is its class; numbers of 1 to C, or any C of them, are counted from the smallest."""
    numbers = _whole_numbers(labels)
    if numbers is None:
        return LabelMapping(None, "The label_map numeric needs labels that are distinct whole numbers.")
    if min(numbers.values()) >= 0 and max(numbers.values()) < class_count:
        return LabelMapping(numbers, how=How.MAP)
    if len(labels) != class_count:
        detail = f"The label_map numeric needs labels of 0 to {class_count - 1}, or as many labels as classes."
        return LabelMapping(None, detail)
    ordered = sorted(labels, key=numbers.__getitem__)
    return LabelMapping({label: index for index, label in enumerate(ordered)}, how=How.MAP)


def by_text_order(labels: Sequence[str], class_count: int, how: How) -> LabelMapping:
    if len(labels) == class_count:
        return LabelMapping({label: index for index, label in enumerate(sorted(labels))}, how=how)
    if how is How.MAP:
        return LabelMapping(None, f"{_counts(labels, class_count)}: imagefolder needs as many labels as classes.")
    return LabelMapping(None, f"{_counts(labels, class_count)} and no class_names say which is which. {WAY_OUT}")


def _counts(labels: Sequence[str], class_count: int) -> str:
    return f"The data set has {len(labels)} labels, but the model has {class_count} classes"
