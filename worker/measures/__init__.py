"""The measures. A new one is a file here, a member of MeasureName and a line below."""

from collections.abc import Callable

from app.domain.protocol import Protocol
from app.domain.vocabulary import MeasureName
from worker.measures.base import Measure, Score
from worker.measures.degradation import Degradation
from worker.measures.entropy import Entropy
from worker.measures.geometric_resilience import GeometricResilience
from worker.measures.noise_reaction import NoiseReaction
from worker.views import degradation_views, geometric_views, noise_views

__all__ = ["PER_MODEL_MEASURES", "Measure", "Score", "measures_of"]


def _entropy(protocol: Protocol, input_size: int) -> Measure | None:
    del input_size
    return Entropy() if protocol.measures.entropy else None


def _noise_reaction(protocol: Protocol, input_size: int) -> Measure | None:
    del input_size
    settings = protocol.measures.noise_reaction
    return NoiseReaction(noise_views(settings, protocol.seed)) if settings else None


def _geometric_resilience(protocol: Protocol, input_size: int) -> Measure | None:
    settings = protocol.measures.geometric_resilience
    return GeometricResilience(geometric_views(settings, input_size), settings.aggregates) if settings else None


def _degradation(protocol: Protocol, input_size: int) -> Measure | None:
    del input_size
    settings = protocol.measures.degradation
    return Degradation(degradation_views(settings)) if settings else None


PER_MODEL_MEASURES: dict[MeasureName, Callable[[Protocol, int], Measure | None]] = {
    MeasureName.ENTROPY: _entropy,
    MeasureName.NOISE_REACTION: _noise_reaction,
    MeasureName.GEOMETRIC_RESILIENCE: _geometric_resilience,
    MeasureName.DEGRADATION: _degradation,
}
"""Every measure of a single model; stability, the one across models, is `worker.measures.stability`."""


def measures_of(protocol: Protocol, input_size: int) -> tuple[Measure, ...]:
    """The measures of a protocol for a model with that input size, in stored order."""
    made = (make(protocol, input_size) for make in PER_MODEL_MEASURES.values())
    return tuple(measure for measure in made if measure is not None)
