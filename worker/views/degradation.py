"""What is salient blurred away, or all the rest (Crum et al. 2023, S_D)."""

from dataclasses import dataclass

from torch import Tensor

from app.domain.measures import DEGRADATION
from app.domain.measures.degradation import DegradationSettings
from app.domain.views import DEGRADATIONS
from worker.functional.blur import degradation_levels, degrade_exact, sigma_of_levels
from worker.functional.blur_stack import blur_stack, blur_table, degrade_fast
from worker.salience.maps import SalienceMaps
from worker.views.base import ImageBatch, ViewSetting


@dataclass(frozen=True)
class DegradationView:
    """``salience_removed`` blurs where the map is high, ``non_salience_removed`` where it is low."""

    name: str
    settings: DegradationSettings

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        both = clean.shared(("degraded", self.settings), lambda: _degrade(batch, clean, self.settings))
        return both[self.name]

    def carry_back(self, maps: Tensor) -> Tensor:
        return maps

    def compared(self, maps: Tensor) -> Tensor:
        return maps


def degradation_view(name: str, setting: ViewSetting) -> DegradationView:
    """Under the protocol's settings of the measure, or their defaults."""
    return DegradationView(name, DEGRADATION.settings_in(setting.protocol.measures) or DegradationSettings())


def _degrade(batch: ImageBatch, clean: SalienceMaps, settings: DegradationSettings) -> dict[str, Tensor]:
    """Both directions at once: they share every blurred image."""
    maps = clean.at_input
    directions = [degradation_levels(255 - maps), degradation_levels(maps)]
    sigmas = sigma_of_levels(settings.sigma_max, settings.curve)
    if settings.exact:
        return dict(zip(DEGRADATIONS, degrade_exact(batch.images, directions, sigmas), strict=True))
    table = blur_table(tuple(sigmas.tolist()), maps.device)
    stack = batch.shared(("blur stack", table.knots), lambda: blur_stack(batch.images, table.knots))
    return {name: degrade_fast(stack, levels, table) for name, levels in zip(DEGRADATIONS, directions, strict=True)}
