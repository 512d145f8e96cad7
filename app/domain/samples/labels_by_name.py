"""Labels meet classes by what both are called."""

import re
from collections.abc import Iterable, Mapping, Sequence

from app.domain.samples.label_mapping import WAY_OUT, How, LabelMapping

_LOOSE = re.compile(r"[\s_-]+")


def loose_key(name: str) -> str:
    """Equal for names that differ in case, blanks, hyphens and underscores alone."""
    return _LOOSE.sub("", name).casefold()


def by_name(labels: Sequence[str], class_names: Sequence[str]) -> LabelMapping:
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


def by_map(
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
