"""What is salient blurred away, or all the rest (Crum et al. 2023, S_D)."""

from dataclasses import dataclass

from torch import Tensor

from app.domain.measures import DEGRADATION
from app.domain.measures.degradation import DegradationSettings
from app.domain.views.families import DEGRADATIONS
from worker.functional.blur import degradation_levels, degrade_exact, sigma_of_levels
from worker.functional.blur_stack import blur_stack, blur_table, degrade_fast
from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class DegradationView(InPlace):
    """Blurs each pixel of (N, 3, S, S) uint8 images by its salience.

    The sigma of a pixel is sigma_max ((10 - v) / 10)^curve pixels, with v in [0, 10] the map at input resolution,
    blurred by a Gaussian of sigma 5 and scaled to a maximum of 10, in steps of 0.1: ``non_salience_removed``, which
    leaves sharp what is salient. ``salience_removed`` takes v from the inverted map 255 - map. Crum et al. 2023, S_D:
    sigma_max 10 and curve 4 are its (10 - v)^4 / 1000.
    """

    name: str
    settings: DegradationSettings

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        both = clean.shared(("degraded", self.settings), lambda: _degrade(batch, clean, self.settings))
        return both[self.name]


def degradation_view(name: str, setting: ViewSetting) -> DegradationView:
    """Under the protocol's settings of the measure, or their defaults."""
    return DegradationView(name, DEGRADATION.settings_in(setting.protocol.measures) or DegradationSettings())


def _degrade(batch: ImageBatch, clean: SalienceMaps, settings: DegradationSettings) -> dict[str, Tensor]:
    """Both directions at once, each (N, 3, S, S) uint8: they share every blurred image."""
    maps = clean.at_input
    directions = [degradation_levels(255 - maps), degradation_levels(maps)]
    sigmas = sigma_of_levels(settings.sigma_max, settings.curve)
    if settings.exact:
        return dict(zip(DEGRADATIONS, degrade_exact(batch.images, directions, sigmas), strict=True))
    table = blur_table(tuple(sigmas.tolist()), maps.device)
    stack = batch.shared(("blur stack", table.knots), lambda: blur_stack(batch.images, table.knots))
    return {name: degrade_fast(stack, levels, table) for name, levels in zip(DEGRADATIONS, directions, strict=True)}
