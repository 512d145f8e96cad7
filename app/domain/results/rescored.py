"""The document that a rescoring leaves. Null is a number that is not defined."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.measures import MeasureName


class RescoredSummary(TypedDict):
    """One comparison of stored maps by the similarity, over one group of samples."""

    measure: MeasureName
    view: str
    model_id: Annotated[str | None, Field(description="Null of a pairing, and of a map set.")]
    method: Annotated[str | None, Field(description="The CAM method of the model's maps; null of any other.")]
    subject: NotRequired[Annotated[str | None, Field(description="As in the results; null of a pairing.")]]
    group_by: str
    group: Annotated[str, Field(description="Of the total `macro` (every source alike) or `micro` (every sample).")]
    n: int
    n_undefined: int
    mean: float | None
    std: float | None
    p05: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    ci95_low: float | None
    ci95_high: float | None


class Rescored(TypedDict):
    """What the similarity is, and its summaries."""

    title: str
    formula: str
    value_range: list[float]
    lower_is_closer: bool
    left_out: Annotated[
        list[str], Field(description="Measures of the audit that cannot be told from native maps by a similarity.")
    ]
    left_out_subjects: NotRequired[
        Annotated[list[str], Field(description="Subjects whose maps are as large as the image: none is native.")]
    ]
    notes: NotRequired[Annotated[list[str], Field(description="What was done to the maps before they were compared.")]]
    summaries: list[RescoredSummary]
