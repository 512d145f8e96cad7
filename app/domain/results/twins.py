"""Models beside their random twins."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName
from app.domain.results.subjects import OfSubject


class TwinDistance(TypedDict):
    """A measure's headline number of a model beside that of its random twin, over the samples that both scored."""

    measure: MeasureName
    view: str
    n: int
    mean: float | None
    random_mean: float | None
    difference: Annotated[float | None, Field(description="The model's minus the twin's.")]
    ci95_low: float | None
    ci95_high: float | None
    better: Annotated[
        bool | None,
        Field(description="Whether the interval lies on the better side of 0; null where there is no interval."),
    ]


class Sanity(TypedDict):
    """A model beside the same network with random weights."""

    model_id: str
    subject: NotRequired[OfSubject]
    entropy_rise: Annotated[
        float | None, Field(description="Of the maps' spatial entropy, over what it was: eMPRT (arXiv 2401.06465).")
    ]
    distances: list[TwinDistance]
