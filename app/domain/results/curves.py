"""Scores and decisions of one model as a change grows: noise, a deformation, a move."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.results.subjects import OfSubject


class CurvePoint(TypedDict):
    """Scores and decisions under one view of a curve."""

    mean: float | None
    std: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    flip_rate: float | None
    auroc: float | None
    accuracy: float | None


class NoisePoint(CurvePoint):
    """One amount of the noise curve."""

    amount: float


class NoiseCurve(TypedDict):
    """Scores and decisions of one model as the noise grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    clean_auroc: float | None
    points: list[NoisePoint]
    area: float | None


class DeformationPoint(CurvePoint):
    """One severity of a deformation."""

    severity: int


class DeformationCurve(TypedDict):
    """Scores and decisions of one model as one deformation grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    kind: Annotated[str, Field(description="As in `measures.noise_reaction.deformations`.")]
    clean_auroc: float | None
    points: list[DeformationPoint]
    area: Annotated[float | None, Field(description="Mean height over the severities; null of a single one.")]


class MovePoint(CurvePoint):
    """One number of a move."""

    number: float
    control_mean: Annotated[float | None, Field(description="Of the same scores without carrying the maps back.")]


class MoveCurve(TypedDict):
    """Scores and decisions of one model as one move grows."""

    model_id: str
    subject: NotRequired[OfSubject]
    kind: Annotated[str, Field(description="As in `measures.geometric_resilience.deformations`.")]
    clean_auroc: float | None
    points: list[MovePoint]
    area: Annotated[float | None, Field(description="Mean height over the numbers; null of a single one.")]
