"""Several labels of one sample, as one text: ``Cardiomegaly|Effusion``, and ``|`` where it is known to have none."""

from collections.abc import Iterable

SEPARATOR = "|"


def joined(labels: Iterable[str]) -> str:
    """In the order given, each once."""
    return SEPARATOR.join(dict.fromkeys(labels)) or SEPARATOR


def parts_of(label: str | None) -> tuple[str, ...]:
    """The single labels; of an unlabelled sample none either."""
    return tuple(dict.fromkeys(part.strip() for part in (label or "").split(SEPARATOR) if part.strip()))
