"""The protocol: the frozen choice of every parameter of an audit, with a digest."""

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.domain.vocabulary import (
    DEGRADATIONS,
    GEOMETRIC_GROUPS,
    PAIRS,
    CamMethod,
    ClassScore,
    EntropyReading,
    MeasureName,
    SalienceTarget,
    noise_view,
)

NoiseAmount = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
# One image alone gives other last bits than the same image in any batch.
MIN_MICRO_BATCH = 2
GeometricGroup = Literal["shifts", "flips", "rotations"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SalienceSettings(_Frozen):
    """Which map is made: the CAM method, the class it explains and the layer it is taken from."""

    method: CamMethod = CamMethod.GRADCAM
    target: SalienceTarget | Annotated[int, Field(ge=0, lt=1_000_000, strict=True)] = SalienceTarget.PREDICTED
    target_layer: str | None = Field(default=None, max_length=512)


class EntropySettings(_Frozen):
    """S_E; both readings are always computed, the headline leads tables and comparisons."""

    headline: EntropyReading = EntropyReading.SPATIAL


class NoiseReactionSettings(_Frozen):
    """S_N; salt and pepper at ``amount``, and the curve of Fig. 4 at further amounts."""

    amount: NoiseAmount = 0.05
    curve: Annotated[tuple[NoiseAmount, ...], Field(max_length=32)] = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)

    @field_validator("curve", mode="before")
    @classmethod
    def no_curve(cls, value: object) -> object:
        return () if value is None else value

    @property
    def amounts(self) -> tuple[float, ...]:
        """Every amount that is computed, ascending, each once."""
        return tuple(sorted({self.amount, *self.curve}))


class GeometricResilienceSettings(_Frozen):
    """S_G; ``shift_pixels`` null means round(input_size / 14)."""

    shift_pixels: Annotated[int, Field(ge=1, le=4096)] | None = None
    overlap: bool = False
    groups: Annotated[tuple[GeometricGroup, ...], Field(min_length=1)] = ("shifts", "flips", "rotations")

    @field_validator("groups")
    @classmethod
    def each_group_once(cls, value: tuple[GeometricGroup, ...]) -> tuple[GeometricGroup, ...]:
        return tuple(group for group in GEOMETRIC_GROUPS if group in value)

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(view for group in self.groups for view in GEOMETRIC_GROUPS[group])

    @property
    def aggregates(self) -> dict[str, tuple[str, ...]]:
        """Group name -> its views; ``all`` only where every group is asked for."""
        groups: dict[str, tuple[str, ...]] = {group: GEOMETRIC_GROUPS[group] for group in self.groups}
        if len(self.groups) == len(GEOMETRIC_GROUPS):
            groups["all"] = self.views
        return groups


class DegradationSettings(_Frozen):
    """S_D; sigma = sigma_max * ((10 - v) / 10) ** curve, which is (10 - v)^4 / 1000 by default.

    ``exact`` blurs with SciPy's own bits; without it a mix of eight blurs stands in, within 0.2 grey levels of them.
    """

    sigma_max: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = 10.0
    curve: Literal[1, 2, 3, 4] = 4
    exact: bool = True


class StabilitySettings(_Frozen):
    """S_S; it has no parameter."""


class MeasureSettings(_Frozen):
    """The measures of an audit; one that is null is not computed."""

    entropy: EntropySettings | None = None
    noise_reaction: NoiseReactionSettings | None = None
    geometric_resilience: GeometricResilienceSettings | None = None
    degradation: DegradationSettings | None = None
    stability: StabilitySettings | None = None

    @model_validator(mode="after")
    def at_least_one(self) -> Self:
        if not self.names:
            raise ValueError("name at least one measure, or leave 'measures' out for all of them")
        return self

    @property
    def names(self) -> tuple[MeasureName, ...]:
        return tuple(name for name in MeasureName if getattr(self, name) is not None)


def all_measures(headline: EntropyReading = EntropyReading.SPATIAL) -> MeasureSettings:
    """All five with their defaults."""
    return MeasureSettings(
        entropy=EntropySettings(headline=headline),
        noise_reaction=NoiseReactionSettings(),
        geometric_resilience=GeometricResilienceSettings(),
        degradation=DegradationSettings(),
        stability=StabilitySettings(),
    )


class ScoreColumn(_Frozen):
    """One number per sample and model: a measure's view.

    ``conditions`` are the image-changing views it depends on (empty: the clean map alone). A column over several
    conditions is their mean.
    """

    measure: MeasureName
    view: str
    conditions: tuple[str, ...] = ()


STABILITY = ScoreColumn(measure=MeasureName.STABILITY, view=PAIRS)
"""The column that no model has alone."""


class Protocol(_Frozen):
    """Every parameter of an audit."""

    preset: Literal["default", "explain2me-2023"] = "default"
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    micro_batch: Annotated[int, Field(ge=MIN_MICRO_BATCH, le=1024, strict=True)] = 16
    salience: SalienceSettings = SalienceSettings()
    measures: MeasureSettings = Field(default_factory=all_measures)
    class_score: ClassScore = ClassScore.SOFTMAX

    def to_json(self) -> dict[str, object]:
        """The resolved protocol as JSON: measures that are not computed are left out."""
        document = self.model_dump(mode="json")
        measures = {name: value for name, value in document["measures"].items() if value is not None}
        return document | {"measures": measures}

    def digest(self) -> str:
        """``sha256:`` and the hash of the canonical JSON (sorted keys, no spaces)."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    def without_stability(self) -> Self:
        """The same protocol for a single model."""
        return self.model_copy(update={"measures": self.measures.model_copy(update={"stability": None})})

    def conditions(self) -> tuple[str, ...]:
        """The views that change images, each once, in the order in which they are computed."""
        return tuple(dict.fromkeys(name for column in self.columns() for name in column.conditions))

    def columns(self) -> tuple[ScoreColumn, ...]:
        """The scores of one sample and model, in stored order; stability is not among them."""
        return (*_entropy(self.measures), *_noise(self.measures), *_geometry(self.measures), *_removal(self.measures))


def _entropy(measures: MeasureSettings) -> tuple[ScoreColumn, ...]:
    if measures.entropy is None:
        return ()
    return tuple(ScoreColumn(measure=MeasureName.ENTROPY, view=reading) for reading in EntropyReading)


def _noise(measures: MeasureSettings) -> tuple[ScoreColumn, ...]:
    if measures.noise_reaction is None:
        return ()
    views = (noise_view(amount) for amount in measures.noise_reaction.amounts)
    return tuple(ScoreColumn(measure=MeasureName.NOISE_REACTION, view=view, conditions=(view,)) for view in views)


def _geometry(measures: MeasureSettings) -> tuple[ScoreColumn, ...]:
    settings = measures.geometric_resilience
    if settings is None:
        return ()
    members = {view: (view,) for view in settings.views} | settings.aggregates
    return tuple(
        ScoreColumn(measure=MeasureName.GEOMETRIC_RESILIENCE, view=view, conditions=conditions)
        for view, conditions in members.items()
    )


def _removal(measures: MeasureSettings) -> tuple[ScoreColumn, ...]:
    if measures.degradation is None:
        return ()
    return tuple(ScoreColumn(measure=MeasureName.DEGRADATION, view=view, conditions=(view,)) for view in DEGRADATIONS)


class ProtocolRequest(BaseModel):
    """A protocol as asked for: what is left out comes from the preset."""

    model_config = ConfigDict(extra="forbid")

    preset: Literal["default", "explain2me-2023"] = "default"
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    micro_batch: Annotated[int, Field(ge=MIN_MICRO_BATCH, le=1024, strict=True)] = 16
    salience: SalienceSettings = SalienceSettings()
    measures: MeasureSettings | None = None
    class_score: ClassScore = ClassScore.SOFTMAX

    def resolve(self) -> Protocol:
        """Fill in the preset."""
        headline = EntropyReading.HISTOGRAM if self.preset == "explain2me-2023" else EntropyReading.SPATIAL
        measures = self.measures or all_measures(headline)
        if measures.entropy is not None and "headline" not in measures.entropy.model_fields_set:
            measures = measures.model_copy(update={"entropy": EntropySettings(headline=headline)})
        return Protocol(**{**self.model_dump(), "measures": measures})
