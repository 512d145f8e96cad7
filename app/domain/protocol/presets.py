"""What a protocol is where a request leaves it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain.measures import MEASURES, Frozen
from app.domain.measures.entropy import EntropyReading
from app.domain.protocol.measures import MeasureSettings


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
