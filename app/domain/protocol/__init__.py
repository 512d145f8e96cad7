"""The protocol: the frozen choice of every parameter of an audit, with a digest."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.measures import MEASURES, QUARTER_TURNS, Frozen, MeasureSpec, ScoreColumn, WithTurns
from app.domain.measures.entropy import EntropyReading
from app.domain.protocol.finding_settings import FORMER_DEFAULTS, LATER, FindingSettings
from app.domain.views.families import ROTATIONS
from app.domain.vocabulary import CamMethod, ClassScore, SalienceTarget

# One image alone gives other last bits than the same image in any batch.
MIN_MICRO_BATCH = 2


class SalienceSettings(Frozen):
    """Which map is made: the CAM method, the class it explains and the layer it is taken from.

    ``methods`` asks for every model under several methods, each a subject of its own; the first of them leads, and is
    ``method``.
    """

    method: CamMethod = CamMethod.GRADCAM
    methods: Annotated[tuple[CamMethod, ...], Field(max_length=8)] = ()
    target: SalienceTarget | Annotated[int, Field(ge=0, lt=1_000_000, strict=True)] = SalienceTarget.PREDICTED
    target_layer: str | None = Field(default=None, max_length=512)
    masks: Annotated[int, Field(ge=100, le=16_000, strict=True)] | None = Field(
        default=None, exclude_if=lambda masks: masks is None, description="How many RISE draws for every image."
    )

    @model_validator(mode="before")
    @classmethod
    def _with_masks(cls, said: Any) -> Any:
        """What is computed is in the protocol; of other methods there are none."""
        if not isinstance(said, dict):
            return said
        methods = said.get("methods") or ()
        asked = said.get("method") == CamMethod.RISE or (
            isinstance(methods, list | tuple) and CamMethod.RISE in methods
        )
        return {**said, "masks": DEFAULT_MASKS} if asked and said.get("masks") is None else said

    @model_validator(mode="after")
    def _masks_of_rise_alone(self) -> Self:
        if self.masks is not None and CamMethod.RISE not in self.all_methods:
            raise ValueError("masks are RISE's: leave them out, or send the method rise")
        return self

    @model_validator(mode="before")
    @classmethod
    def first_leads(cls, given: Any) -> Any:
        methods = given.get("methods") if isinstance(given, dict) else None
        return {"method": methods[0], **given} if methods and isinstance(methods, list | tuple) else given

    @model_validator(mode="after")
    def each_once(self) -> Self:
        if len(set(self.methods)) != len(self.methods):
            raise ValueError("methods must be distinct")
        if self.methods and self.method != self.methods[0]:
            raise ValueError("method is the first of methods; name methods alone")
        return self

    @property
    def all_methods(self) -> tuple[CamMethod, ...]:
        return self.methods or (self.method,)

    def under(self, method: CamMethod) -> Self:
        """The same way to a map, by that method alone."""
        masks = self.masks if method is CamMethod.RISE else None
        return self.model_copy(update={"method": method, "methods": (), "masks": masks})

    def to_json(self) -> dict[str, object]:
        """As JSON: one method alone is written as before there were several."""
        return self.model_dump(mode="json", exclude=None if len(self.methods) > 1 else {"methods"})


_fields: dict[str, Any] = {spec.name: (spec.settings | None, None) for spec in MEASURES.values()}
_FieldPerMeasure: Any = create_model("_FieldPerMeasure", __base__=Frozen, **_fields)


class MeasureSettings(_FieldPerMeasure):
    """The measures of an audit; one that is null is not computed."""

    @model_validator(mode="after")
    def at_least_one(self) -> Self:
        if not self.names:
            raise ValueError("name at least one measure, or leave 'measures' out for all of them")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in MEASURES if getattr(self, name) is not None)

    def computed(self) -> Iterator[tuple[MeasureSpec[Any], Any]]:
        """The measures that are computed, each with its settings, in stored order."""
        for name in self.names:
            yield MEASURES[name], getattr(self, name)


@dataclass(frozen=True)
class Preset:
    """What a protocol is where a request leaves it out.

    ``measures`` are computed where none is named. ``options`` stand in for a measure's own defaults.
    """

    measures: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def all_measures(self) -> MeasureSettings:
        """All of its measures with their defaults."""
        return self.completed(MeasureSettings(**{name: MEASURES[name].settings() for name in self.measures}))

    def completed(self, measures: MeasureSettings) -> MeasureSettings:
        """With its options in place of those that nobody set."""
        changes: dict[str, Frozen] = {}
        for spec, settings in measures.computed():
            own = self.options.get(spec.name, {})
            unset = {option: value for option, value in own.items() if option not in settings.model_fields_set}
            if unset:
                changes[spec.name] = settings.model_copy(update=unset)
        return measures.model_copy(update=changes)


DEFAULT_MEASURES = tuple(name for name, spec in MEASURES.items() if spec.is_default)
PresetName = Literal["default", "explain2me-2023", "investigate"]
PRESETS: dict[PresetName, Preset] = {
    "default": Preset(DEFAULT_MEASURES),
    "investigate": Preset(
        (*DEFAULT_MEASURES, "equivariance", "sufficiency", "sanity"), {"sufficiency": {"detail": True}}
    ),
    "explain2me-2023": Preset(DEFAULT_MEASURES, {"entropy": {"headline": EntropyReading.HISTOGRAM}}),
}


class Protocol(Frozen):
    """Every parameter of an audit."""

    preset: PresetName = "default"
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    micro_batch: Annotated[int, Field(ge=MIN_MICRO_BATCH, le=1024, strict=True)] = 16
    salience: SalienceSettings = SalienceSettings()
    measures: MeasureSettings = Field(default_factory=PRESETS["default"].all_measures)
    class_score: ClassScore = ClassScore.SOFTMAX
    findings: FindingSettings = FindingSettings()

    def to_json(self) -> dict[str, object]:
        """The resolved protocol as JSON: measures that are not computed are left out."""
        document = self.model_dump(mode="json")
        measures = {name: value for name, value in document["measures"].items() if value is not None}
        return document | {"salience": self.salience.to_json(), "measures": measures}

    def digest(self) -> str:
        """``sha256:`` and the hash of the canonical JSON (sorted keys, no spaces)."""
        document = self.to_json()
        if self.findings in {FindingSettings(), *FORMER_DEFAULTS}:
            # A protocol that was made before findings had thresholds, or had these, is still the same one.
            del document["findings"]
        else:
            unset = {name for name in LATER if getattr(self.findings, name) == getattr(FindingSettings(), name)}
            document["findings"] = self.findings.model_dump(mode="json", exclude=unset)
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    def without(self, measure: str) -> Self:
        """The same protocol, and one measure less."""
        return self.model_copy(update={"measures": self.measures.model_copy(update={measure: None})})

    def of_clean_maps(self) -> Self:
        """The same protocol without the measures of a single subject: for one whose clean maps alone are compared."""
        alone = [
            spec.name
            for spec, settings in self.measures.computed()
            if not all(column.is_pairing for column in spec.columns(settings))
        ]
        return self.model_copy(update={"measures": self.measures.model_copy(update=dict.fromkeys(alone))})

    def without_turns(self) -> Self:
        """The same protocol without quarter turns, which only squares have."""
        turning = {
            spec.name: settings.model_copy(update={QUARTER_TURNS: False})
            for spec, settings in self.measures.computed()
            if isinstance(settings, WithTurns)
        }
        return self.model_copy(update={"measures": self.measures.model_copy(update=turning)})

    @property
    def has_turns(self) -> bool:
        """Whether a measure looks at quarter turns."""
        return not {*ROTATIONS}.isdisjoint(self.conditions())

    def beside(self, others: Iterable["Protocol"]) -> Self:
        """Where it and others ask for the same: with the views that all of them have."""
        return self if all(other.allows_turns for other in others) else self.without_turns()

    @property
    def allows_turns(self) -> bool:
        """Whether none of its measures leaves quarter turns out."""
        turning = (settings for _, settings in self.measures.computed() if isinstance(settings, WithTurns))
        return all(settings.quarter_turns for settings in turning)

    def conditions(self) -> tuple[str, ...]:
        """The views that change images, each once, in the order in which they are computed."""
        return tuple(dict.fromkeys(name for column in self.columns() for name in column.conditions))

    def columns(self) -> tuple[ScoreColumn, ...]:
        """The scores of one sample and subject, in stored order; pairings are not among them."""
        return self._columns(pairings=False)

    def pairing_columns(self) -> tuple[ScoreColumn, ...]:
        """The scores of one sample that no subject has alone, in stored order."""
        return self._columns(pairings=True)

    def _columns(self, *, pairings: bool) -> tuple[ScoreColumn, ...]:
        return tuple(
            column
            for spec, settings in self.measures.computed()
            for column in spec.columns(settings)
            if column.is_pairing == pairings
        )


class ProtocolRequest(BaseModel):
    """A protocol as asked for: what is left out comes from the preset."""

    model_config = ConfigDict(extra="forbid")

    preset: PresetName = "default"
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    micro_batch: Annotated[int, Field(ge=MIN_MICRO_BATCH, le=1024, strict=True)] = 16
    salience: SalienceSettings = SalienceSettings()
    measures: MeasureSettings | None = None
    class_score: ClassScore = ClassScore.SOFTMAX
    findings: FindingSettings = FindingSettings()

    def resolve(self) -> Protocol:
        """Fill in the preset."""
        preset = PRESETS[self.preset]
        measures = preset.all_measures() if self.measures is None else preset.completed(self.measures)
        return Protocol(**{**self.model_dump(), "measures": measures})
