"""The label that a model's prediction stands for, out of a stored row."""

from app.db.tables import ModelRow, SampleScoresRow
from app.domain.models.outputs import Output
from app.domain.samples.label_mapping import LabelMapping
from app.domain.samples.several_labels import joined
from app.results.inputs import class_count


def predicted_label(row: SampleScoresRow, model: ModelRow, condition: int, mapping: LabelMapping) -> str | None:
    """The label that meets the class, else the class's name or index; None where the output was not finite.

    Of independent labels all that are above the threshold.
    """
    predicted = (row.predicted or [])[condition]
    if mapping.several and predicted >= 0:
        count = class_count(model)
        scores = (row.class_scores or [])[condition * count : (condition + 1) * count]
        threshold = Output.of(model.output).threshold
        told = [index for index, score in enumerate(scores) if score is not None and score > threshold]
        return joined(mapping.class_label(index, model.class_names) for index in told)
    return None if predicted < 0 else mapping.class_label(predicted, model.class_names)
