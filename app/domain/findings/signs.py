"""A sign of a shortcut, before it is a finding."""

from collections.abc import Iterator
from typing import TypedDict


class Sign(TypedDict):
    """A finding of one model: the measure that it is about, where it is about one, its sentence and its numbers."""

    measure: str | None
    text: str
    evidence: dict[str, object]


Found = Iterator[tuple[str, Sign]]
