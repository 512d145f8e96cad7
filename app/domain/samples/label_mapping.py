"""How the labels of a data set meet the classes of a model.

Equal names meet; else names that are equal without case, blanks, hyphens and underscores, where that is one to one;
else what the owner says (``label_map``). Without class names texts meet classes in sorted order and whole numbers by
value, but only where both orders say the same: ImageFolder sorts folders as text, so that its "10" is class 2, and
whoever wrote numbers into a table meant class 10. Where that is in doubt nothing is assumed: a wrong label is worse
than none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from app.domain.samples.several_labels import parts_of

LabelMap = dict[str, str | int | None] | Literal["numeric", "imagefolder"]
DESCRIPTION = (
    "Which class a label is: an object from label to class (its name or index), `numeric` (a number is its class) or "
    "`imagefolder` (labels sorted as text, as ImageFolder sorts folders). Unset: by the classes' names."
)

_LOOSE = re.compile(r"[\s_-]+")
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0+)?")
"""pandas writes the numbers of a column with gaps as 3.0."""
WAY_OUT = "Say which is which with label_map: an object from label to class, numeric, or imagefolder."


class How(StrEnum):
    """How labels met classes."""

    NAMES = "names"
    LOOSE = "loose"
    SORTED = "sorted"
    INDICES = "indices"
    MAP = "map"


@dataclass(frozen=True)
class LabelMapping:
    """Label -> class index and how that was found, or None and the reason why they do not meet."""

    indices: dict[str, int] | None
    reason: str | None = None
    how: How | None = None
    is_doubtful: bool = False
    """The labels are numbers, and it is not said which number is which class."""
    several: bool = False
    """A sample may have several labels (`app.domain.samples.several_labels`), whose scores are independent."""

    def score_classes(self, class_count: int) -> tuple[int, ...]:
        """The classes whose scores AUROC needs: class 1 of two, else every class that occurs as a label."""
        if self.several:
            return tuple(range(class_count))  # which labels are told is read off them
        if self.indices is None:
            return ()
        return (1,) if class_count == 2 else tuple(sorted(set(self.indices.values())))

    def positives(self, label: str | None) -> tuple[int, ...]:
        """The classes of a sample that may have several labels."""
        indices = self.indices or {}
        return tuple(indices[part] for part in parts_of(label) if part in indices)

    def shown(self) -> dict[str, Any] | None:
        """As results tell it: ``how``, and the class that each label met."""
        return None if self.indices is None else {"how": str(self.how), "classes": self.indices}

    def class_label(self, index: int, class_names: Sequence[str] | None) -> str:
        """A predicted class in the words of the labels, so that equal words are what accuracy counts as a hit.

        Where labels and classes do not meet: the class's name, else its index, but never what only looks like a label.
        """
        met = [label for label, place in (self.indices or {}).items() if place == index]
        if len(met) == 1:
            return met[0]
        if class_names is not None:
            return class_names[index]
        return f"class {index}" if self.is_doubtful else str(index)


def map_labels(
    labels: Sequence[str], class_names: Sequence[str] | None, class_count: int, label_map: LabelMap | None = None
) -> LabelMapping:
    """``labels`` are distinct; ``class_names`` are in the order of the outputs."""
    if not labels:
        return LabelMapping(None, "The data set has no labels.")
    if label_map == "numeric":
        return _by_number(labels, class_count)
    if label_map == "imagefolder":
        return _by_text_order(labels, class_count, How.MAP)
    if label_map is not None:
        return _by_map(labels, class_names, class_count, label_map)
    if class_names is not None:
        return _by_name(labels, class_names)
    return _without_names(labels, class_count)


def map_several_labels(
    labels: Iterable[str], class_names: Sequence[str] | None, class_count: int, label_map: LabelMap | None = None
) -> LabelMapping:
    """``labels`` are those of samples, each of which may be several; a label that the map leads to null is no class."""
    if isinstance(label_map, str):
        return LabelMapping(None, f"The label_map {label_map} is for samples of one label.", several=True)
    indices: dict[str, int] = {}
    for label in sorted({part for one in labels for part in parts_of(one)}):
        target = (label_map or {}).get(label, label)
        index = class_index(target, class_names, class_count)
        if index is not None:
            indices[label] = index
        elif target is not None or label not in (label_map or {}):
            way_out = f'Say which it is with label_map; {{"{label}": null}} where it is none of them.'
            return LabelMapping(
                None, f"The label {label!r} is none of the model's {class_count}. {way_out}", several=True
            )
    if len(set(indices.values())) < len(indices):
        return LabelMapping(None, "Two labels are the same class of the model.", several=True)
    return LabelMapping(indices, how=How.NAMES if label_map is None else How.MAP, several=True)


def loose_key(name: str) -> str:
    """Equal for names that differ in case, blanks, hyphens and underscores alone."""
    return _LOOSE.sub("", name).casefold()


def _by_name(labels: Sequence[str], class_names: Sequence[str]) -> LabelMapping:
    places = {name: index for index, name in enumerate(class_names)}
    if all(label in places for label in labels):
        return LabelMapping({label: places[label] for label in labels}, how=How.NAMES)
    doubled = _doubled(labels) or _doubled(class_names)
    if doubled is not None:
        one, other = doubled
        detail = f"{one!r} and {other!r} are the same without case, blanks, hyphens and underscores"
        return LabelMapping(None, f"Labels and class_names are not equal, and {detail}. {WAY_OUT}")
    loosely = {loose_key(name): index for index, name in enumerate(class_names)}
    missing = sorted(label for label in labels if loose_key(label) not in loosely)
    if missing:
        lacking = f"lack {len(missing)} of the {len(labels)} labels, {missing[0]!r} first"
        return LabelMapping(None, f"The model's class_names {lacking}. {WAY_OUT}")
    return LabelMapping({label: loosely[loose_key(label)] for label in labels}, how=How.LOOSE)


def _doubled(names: Iterable[str]) -> tuple[str, str] | None:
    """Two names that are loosely one."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(loose_key(name), name)
        if first != name:
            return first, name
    return None


def _by_map(
    labels: Sequence[str],
    class_names: Sequence[str] | None,
    class_count: int,
    label_map: Mapping[str, str | int | None],
) -> LabelMapping:
    """What the map does not name meets class names as without it."""
    indices: dict[str, int] = {}
    for label in labels:
        target = label_map.get(label, label)
        index = class_index(target, class_names, class_count)
        if index is None:
            said = f"leads {label!r} to {target!r}, which is no class" if label in label_map else f"lacks {label!r}"
            return LabelMapping(None, f"The label_map {said} of the model's {class_count}.")
        indices[label] = index
    return LabelMapping(indices, how=How.MAP)


def class_index(target: str | int | None, class_names: Sequence[str] | None, class_count: int) -> int | None:
    """Which class is meant by its index, its name, or a name that is loosely the same; None where none is."""
    if target is None:
        return None
    if isinstance(target, int):
        return target if 0 <= target < class_count else None
    names = list(class_names or ())
    if target in names:
        return names.index(target)
    alike = [index for index, name in enumerate(names) if loose_key(name) == loose_key(target)]
    return alike[0] if len(alike) == 1 else None


def _without_names(labels: Sequence[str], class_count: int) -> LabelMapping:
    numbers = _whole_numbers(labels)
    if numbers is None:
        return _by_text_order(labels, class_count, How.SORTED)
    if _written_alike(labels, class_count) and max(numbers.values()) < class_count and min(numbers.values()) >= 0:
        return LabelMapping(numbers, how=How.INDICES)
    in_order = sorted(labels) == sorted(labels, key=numbers.__getitem__)
    if in_order and len(labels) == class_count:
        return _by_text_order(labels, class_count, How.SORTED)
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


def _by_number(labels: Sequence[str], class_count: int) -> LabelMapping:
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


def _by_text_order(labels: Sequence[str], class_count: int, how: How) -> LabelMapping:
    if len(labels) == class_count:
        return LabelMapping({label: index for index, label in enumerate(sorted(labels))}, how=how)
    if how is How.MAP:
        return LabelMapping(None, f"{_counts(labels, class_count)}: imagefolder needs as many labels as classes.")
    return LabelMapping(None, f"{_counts(labels, class_count)} and no class_names say which is which. {WAY_OUT}")


def _counts(labels: Sequence[str], class_count: int) -> str:
    return f"The data set has {len(labels)} labels, but the model has {class_count} classes"
