"""How well a model classifies."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.results.subjects import OfSubject


class Roc(TypedDict):
    """The corners of a ROC curve; the threshold above every score is null."""

    fpr: list[float]
    tpr: list[float]
    threshold: NotRequired[list[float | None]]


class LabelAccuracy(TypedDict):
    """Of one label."""

    n: int
    accuracy: float | None


class Performance(TypedDict):
    """How well a model classifies the images of one condition."""

    condition: Annotated[str, Field(description="`clean`, or the name of a view.")]
    model_id: str
    subject: NotRequired[OfSubject]
    n: int
    accuracy: float | None
    balanced_accuracy: NotRequired[
        Annotated[float | None, Field(description="Mean over the labels of the share that is recognised.")]
    ]
    by_label: NotRequired[Annotated[dict[str, LabelAccuracy] | None, Field(description="Null for very many labels.")]]
    auroc: float | None
    roc: Roc | None
    auroc_by_class: NotRequired[dict[str, float | None]]
