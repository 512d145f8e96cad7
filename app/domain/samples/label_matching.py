"""How the labels of a data set meet the classes of a model.

Equal names meet; else names that are equal without case, blanks, hyphens and underscores, where that is one to one;
else what the owner says (``label_map``). Without class names texts meet classes in sorted order and whole numbers by
value, but only where both orders say the same: ImageFolder sorts folders as text, so that its "10" is class 2, and
whoever wrote numbers into a table meant class 10. Where that is in doubt nothing is assumed: a wrong label is worse
than none.
"""

from collections.abc import Iterable, Sequence

from app.domain.samples.label_mapping import How, LabelMap, LabelMapping
from app.domain.samples.labels_by_name import by_map, by_name, class_index
from app.domain.samples.labels_by_order import by_number, by_text_order, without_names
from app.domain.samples.several_labels import parts_of


def map_labels(
    labels: Sequence[str], class_names: Sequence[str] | None, class_count: int, label_map: LabelMap | None = None
) -> LabelMapping:
    """``labels`` are distinct; ``class_names`` are in the order of the outputs."""
    if not labels:
        return LabelMapping(None, "The data set has no labels.")
    if label_map == "numeric":
        return by_number(labels, class_count)
    if label_map == "imagefolder":
        return by_text_order(labels, class_count, How.MAP)
    if label_map is not None:
        return by_map(labels, class_names, class_count, label_map)
    if class_names is not None:
        return by_name(labels, class_names)
    return without_names(labels, class_count)


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
