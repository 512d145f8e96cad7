"""How the labels of a data set meet the classes of a model."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelMapping:
    """Label -> class index, or None and the reason why they do not meet."""

    indices: dict[str, int] | None
    reason: str | None = None

    def score_classes(self, class_count: int) -> tuple[int, ...]:
        """The classes whose scores AUROC needs: class 1 of two, else every class that occurs as a label."""
        if self.indices is None:
            return ()
        return (1,) if class_count == 2 else tuple(sorted(set(self.indices.values())))


def map_labels(labels: Sequence[str], class_names: Sequence[str] | None, class_count: int) -> LabelMapping:
    """Through ``class_names``; without them in sorted order, where there are as many labels as classes."""
    if not labels:
        return LabelMapping(None, "The data set has no labels.")
    if class_names is not None:
        return _by_name(labels, class_names)
    if len(labels) == class_count:
        return LabelMapping({label: index for index, label in enumerate(sorted(labels))})
    counts = f"{len(labels)} labels, but the model has {class_count} classes"
    return LabelMapping(None, f"The data set has {counts} and no class_names say which is which.")


def _by_name(labels: Sequence[str], class_names: Sequence[str]) -> LabelMapping:
    places = {name: index for index, name in enumerate(class_names)}
    missing = sorted(set(labels) - set(places))
    if missing:
        return LabelMapping(None, f"The model's class_names lack {len(missing)} labels, {missing[0]!r} first.")
    return LabelMapping({label: places[label] for label in labels})
