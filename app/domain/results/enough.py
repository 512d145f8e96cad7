"""How much of an image is enough for a prediction to stay."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.results.subjects import OfSubject


class SufficiencyOfLabel(TypedDict):
    """Of one label's samples."""

    n: int
    unchanged: dict[str, list[float] | None]
    area_90: float | None


class EnoughReport(TypedDict):
    """How much of an image is enough for a prediction to stay."""

    fill: str
    shares: list[float]
    n: Annotated[int, Field(description="Samples whose class is not what the fill alone gives.")]
    unchanged: Annotated[
        dict[str, list[float] | None], Field(description="Share of them that keep their class, by order and share.")
    ]
    area_90: Annotated[
        float | None, Field(description="The smallest share of the image from which on 90% keep their class.")
    ]
    area_90_random: float | None
    by_label: dict[str, SufficiencyOfLabel]


class Sufficiency(EnoughReport):
    """How much of an image is enough for a model's prediction to stay."""

    model_id: str
    subject: NotRequired[OfSubject]
