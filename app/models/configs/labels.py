"""Names of classes, as files have them."""

import re
from collections import Counter
from collections.abc import Sequence

from app.domain.refusals.architectures import CONFIG_FIELD
from app.models.configs.fields import Json, Unsaid

_PLACEHOLDER = re.compile(r"LABEL_\d+")


def listed(place: tuple[str, ...], id2label: object) -> list[str] | Unsaid | None:
    """Of ``id2label`` in the order of the outputs; None where nobody named the classes."""
    if not isinstance(id2label, dict):
        return Unsaid(CONFIG_FIELD, place, {"what": "is no object of numbers and names"})
    try:
        names = {int(number): name for number, name in id2label.items()}
    except ValueError:
        return Unsaid(CONFIG_FIELD, place, {"what": "has a key that is no number"})
    if sorted(names) != list(range(len(names))) or not all(isinstance(name, str) for name in names.values()):
        return Unsaid(CONFIG_FIELD, place, {"what": "does not name the outputs from 0 on"})
    ordered = [names[number] for number in range(len(names))]
    return None if all(_PLACEHOLDER.fullmatch(name) for name in ordered) else ordered


def distinct(names: Sequence[str]) -> tuple[list[str], str | None]:
    """Names that stand for several classes, as ImageNet's "crane" does, get the class's number; and a note of it."""
    several = {name for name, count in Counter(names).items() if count > 1}
    if not several:
        return list(names), None
    told = [f"{name} [{index}]" if name in several else name for index, name in enumerate(names)]
    return told, f"Several classes have the name {min(several)!r}; such names got the class's number."


def with_names(values: Json, notes: dict[str, str], names: list[str] | Unsaid | None) -> None:
    """Puts them into what a file says."""
    if isinstance(names, list):
        values["class_names"], note = distinct(names)
        notes |= {"class_names": note} if note else {}
    elif names is not None:
        values["class_names"] = names
