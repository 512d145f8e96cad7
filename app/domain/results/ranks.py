"""Models beside each other under each of several CAM methods."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName


class ModelDifference(TypedDict):
    """How far two models lie apart by a headline number under one CAM method."""

    measure: MeasureName
    view: str
    method: str
    model_ids: list[str]
    difference: Annotated[
        float | None, Field(description="The second model's minus the first's, over the samples that both scored.")
    ]
    ci95_low: float | None
    ci95_high: float | None


class MethodRanks(TypedDict):
    """How the models of an audit rank by a headline number under two CAM methods. Models whose paired difference has
    an interval with 0 in it, or none, are ties.
    """

    measure: MeasureName
    view: str
    methods: list[str]
    n_models: Annotated[int, Field(description="That have the number under both.")]
    tau: Annotated[
        float | None, Field(description="Kendall's tau-b of the two rankings; null where one of them ranks nothing.")
    ]
    best_model_ids: Annotated[list[str], Field(description="The best model under each of the methods, by its mean.")]
    reverses: NotRequired[
        Annotated[
            bool,
            Field(description="Whether the best model under each method lies before the other's beyond noise."),
        ]
    ]
