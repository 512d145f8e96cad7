"""The protocol itself: every parameter of an audit, with a digest."""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field

from app.domain.measures import QUARTER_TURNS, Frozen, ScoreColumn, WithTurns
from app.domain.protocol.finding_settings import FORMER_DEFAULTS, LATER, FindingSettings
from app.domain.protocol.measures import MeasureSettings
from app.domain.protocol.presets import PRESETS, PresetName
from app.domain.protocol.salience import SalienceSettings
from app.domain.views.families import ROTATIONS
from app.domain.vocabulary import ClassScore

# One image alone gives other last bits than the same image in any batch.
MIN_MICRO_BATCH = 2

Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
MicroBatch = Annotated[int, Field(ge=MIN_MICRO_BATCH, le=1024, strict=True)]


class Protocol(Frozen):
    """Every parameter of an audit."""

    preset: PresetName = "default"
    seed: Seed = 0
    micro_batch: MicroBatch = 16
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
