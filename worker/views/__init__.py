"""Views: changes of the images and the way back for maps. The mapping below is the list of them."""

from app.domain.protocol import DegradationSettings, GeometricResilienceSettings, NoiseReactionSettings
from app.domain.vocabulary import DEGRADATIONS
from worker.views.base import View
from worker.views.degradation import DegradationView
from worker.views.geometry import GeometricView, default_shift_pixels
from worker.views.noise import NoiseView

__all__ = ["View", "degradation_views", "geometric_views", "noise_views"]


def noise_views(settings: NoiseReactionSettings, seed: int) -> tuple[View, ...]:
    """Salt and pepper at every amount that the protocol asks for."""
    return tuple(NoiseView(amount=amount, seed=seed) for amount in settings.amounts)


def geometric_views(settings: GeometricResilienceSettings, input_size: int) -> tuple[View, ...]:
    """The shifts, flips and rotations that the protocol asks for."""
    pixels = settings.shift_pixels or default_shift_pixels(input_size)
    return tuple(GeometricView(name, pixels=pixels, overlap=settings.overlap) for name in settings.views)


def degradation_views(settings: DegradationSettings) -> tuple[View, ...]:
    """Salience removed, and everything but the salience removed."""
    return tuple(DegradationView(name, settings) for name in DEGRADATIONS)
