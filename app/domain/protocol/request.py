"""A protocol as it is asked for."""

from pydantic import BaseModel, ConfigDict

from app.domain.protocol.finding_settings import FindingSettings
from app.domain.protocol.measures import MeasureSettings
from app.domain.protocol.presets import PRESETS, PresetName
from app.domain.protocol.resolved import MicroBatch, Protocol, Seed
from app.domain.protocol.salience import SalienceSettings
from app.domain.vocabulary import ClassScore


class ProtocolRequest(BaseModel):
    """A protocol as asked for: what is left out comes from the preset."""

    model_config = ConfigDict(extra="forbid")

    preset: PresetName = "default"
    seed: Seed = 0
    micro_batch: MicroBatch = 16
    salience: SalienceSettings = SalienceSettings()
    measures: MeasureSettings | None = None
    class_score: ClassScore = ClassScore.SOFTMAX
    findings: FindingSettings = FindingSettings()

    def resolve(self) -> Protocol:
        """Fill in the preset."""
        preset = PRESETS[self.preset]
        measures = preset.all_measures() if self.measures is None else preset.completed(self.measures)
        return Protocol(**{**self.model_dump(), "measures": measures})
