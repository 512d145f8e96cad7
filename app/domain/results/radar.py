"""The headline numbers of an audit, and the radar that they make (Crum et al. 2023, Fig. 11)."""

from collections.abc import Mapping

from app.domain.measures import MEASURES
from app.domain.protocol import Protocol

Means = Mapping[tuple[str, str], float | None]


def headline_views(protocol: Protocol) -> dict[str, tuple[str, ...]]:
    """The views that lead each measure and make its axis; a measure that the protocol leaves out is absent."""
    return {spec.name: spec.headline(settings) for spec, settings in protocol.measures.computed()}


def axes_of(protocol: Protocol) -> tuple[str, ...]:
    """The measures that have an axis: those of every audit by default, and further ones where they are computed."""
    computed = protocol.measures.names
    return tuple(name for name, spec in MEASURES.items() if spec.axis and (spec.is_default or name in computed))


def radar(protocol: Protocol, means: Means) -> dict[str, float | None]:
    """Every axis in [0, 1], higher is better, from the means by (measure, view); None where a number is missing.

    Stability is missing, not 0, for an audit of a single model.
    """
    headlines = headline_views(protocol)
    return {measure: _on_axis(measure, headlines.get(measure, ()), means) for measure in axes_of(protocol)}


def _on_axis(measure: str, views: tuple[str, ...], means: Means) -> float | None:
    axis = MEASURES[measure].axis
    found = [means.get((measure, view)) for view in views]
    values = [value for value in found if value is not None]
    if axis is None or not values or len(values) < len(views):
        return None
    return min(1.0, max(0.0, axis.value(values)))


def formulas(protocol: Protocol) -> dict[str, str]:
    """How each axis that the protocol computes is made, in words."""
    return {spec.name: spec.axis.formula for spec, _ in protocol.measures.computed() if spec.axis is not None}
