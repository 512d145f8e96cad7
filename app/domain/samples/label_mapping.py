"""How labels met classes, or why they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from app.domain.samples.several_labels import parts_of

LabelMap = dict[str, str | int | None] | Literal["numeric", "imagefolder"]
DESCRIPTION = (
    "Which class a label is: an object from label to class (its name or index), `numeric` (a number is its class) or "
    "`imagefolder` (labels sorted as text, as ImageFolder sorts folders). Unset: by the classes' names."
)
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
